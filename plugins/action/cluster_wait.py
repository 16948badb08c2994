# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action petal.hpc.cluster_wait: looks at a cluster's stack again and again, and prints how far it has come."""

from __future__ import annotations

import time

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.cluster.state import USABLE, is_settled
from ..module_utils._core.errors import ExplainedError, ManyProblems

# For a moment, a stack that has only just been asked for may be missing from the list, and one to be deleted be as it was.
SECONDS_TO_APPEAR = 30
OWN = {"state": "present", "interval": 15.0, "timeout": 3600.0}


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        if self._task.check_mode:
            return {**result, "changed": False, "cluster": None}
        own = {name: type(default)(self._task.args.get(name, default)) for name, default in OWN.items()}
        arguments = {name: value for name, value in self._task.args.items() if name not in OWN} | {"details": True}

        def look():
            answer = self._execute_module(module_name="petal.hpc.cluster_info", module_args=arguments, task_vars=task_vars, tmp=tmp)
            if answer.get("failed"):
                raise ExplainedError(answer.get("msg", "The cluster cannot be looked at."), resource=arguments.get("name"))
            return next(iter(answer["clusters"]), None)

        try:
            return {**result, "changed": False, "cluster": watch(arguments["name"], look, **own)}
        except ExplainedError as error:
            return {**result, "failed": True, **error.to_result()}


def watch(name, look, state, interval, timeout, clock=time.monotonic, sleep=time.sleep, show=None):
    """Look until the cluster is as wanted and return it; look() returns its description, or None.

    Raises ManyProblems when it has failed, with the causes; ExplainedError when the time is up.
    """
    show = show or (lambda line: Display().display(line, color="cyan"))
    started, shown = clock(), None
    while True:
        cluster = look()
        line = cluster["progress"] if cluster else "there is no such cluster"
        if line != shown:
            minutes, seconds = divmod(int(clock() - started), 60)
            show(f"{name} | {minutes:3d}:{seconds:02d} | {line}")
            shown = line
        if done(cluster, state):
            return cluster
        unseen = cluster is None or (state == "absent" and not cluster["status"].startswith("DELETE"))
        appears = unseen and clock() - started < SECONDS_TO_APPEAR
        if not appears and (cluster is None or is_settled(cluster["status"])):
            raise failed(name, cluster, state)
        if clock() - started >= timeout:
            raise ExplainedError(
                f"Cluster {name} is still in state {cluster['status'] if cluster else 'unknown'} after {int(timeout)} seconds.",
                resource=name,
                next_step="It goes on by itself: run this again to go on watching, or set a longer timeout.",
            )
        sleep(interval)


def done(cluster, state):
    if state == "absent":
        return cluster is None
    return cluster is not None and cluster["status"] in USABLE[:2]


def failed(name, cluster, state):
    if cluster is None:
        return ExplainedError(f"Cluster {name} does not exist.", resource=name, next_step="Create it with petal.hpc.deploy_cluster.")
    verb = "deleted" if state == "absent" else "created or updated"
    return ManyProblems(f"Cluster {name} was not {verb}: it is in state {cluster['status']}.", cluster["failures"], resource=name)
