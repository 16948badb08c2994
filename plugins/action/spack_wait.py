# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action petal.hpc.spack_wait: looks at a build through the connection, and prints how far it has come."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._core.errors import ExplainedError
from ..module_utils._core.software.progress import explain_failures, progress, progress_line, seconds_left

ARGUMENTS = {
    "unit": {"type": "str", "required": True},
    "status": {"type": "path", "required": True},
    "log": {"type": "path", "required": True},
    "lock": {"type": "path", "required": True},
    "interval": {"type": "float", "default": 2},
    "heartbeat": {"type": "float", "default": 60},
    "timeout": {"type": "float", "default": 0},
    "connection_timeout": {"type": "float", "default": 300},
    "seconds_per_package": {"type": "float", "default": 0},
    "lease": {"type": "dict", "default": {}},
    "lease_interval": {"type": "float", "default": 60},
}
# Between the parts of one look; no line of Spack's looks like this.
SEPARATOR = "--petal-spack-wait--"
TAIL_LINES = 20
# The stages of roles/spack_bootstrap/files/build.py, as a person would say them.
STAGES = {
    "concretize": "choosing versions",
    "install": "building",
    "modules": "writing modules",
    "tidy": "tidying up",
    "describe": "describing",
}


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(ARGUMENTS)
        self.parent = os.getppid()
        tell = (lambda text: self.renew(options["lease"], text, task_vars)) if options["lease"] else None
        watch = Watch(options, self.command, host=(task_vars or {}).get("inventory_hostname", ""), tell=tell)
        try:
            return {**result, "changed": False, **watch.until_it_ends()}
        except ExplainedError as error:
            return {**result, "failed": True, **watch.facts(), **error.to_result()}

    def command(self, text):
        """Run a shell command on the host, return what it printed. Raises ExplainedError when the run that waits has been killed."""
        if os.getppid() != self.parent:
            # A worker of Ansible outlives a run that is killed. It must not go on renewing the lease, or nobody could resume the build.
            raise ExplainedError("The run that waits for the build has ended; the build goes on.", resource=self._task.args["unit"])
        return self._low_level_execute_command(text)["stdout"]

    def renew(self, lease, text, task_vars):
        """Run the module build_lease on the controller. Raises ExplainedError when somebody else has the lease."""
        local = self._shared_loader_obj.connection_loader.get("ansible.builtin.local", self._play_context, "/dev/null")
        local.set_options()
        task = self._task.copy()
        task.args, task.action = {**lease, "progress": text}, "petal.hpc.build_lease"
        action = self._shared_loader_obj.action_loader.get(
            "petal.hpc.build_lease",
            task=task,
            connection=local,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        answer = action.run(task_vars={**task_vars, "ansible_python_interpreter": sys.executable})
        if answer.get("failed") and answer.get("holder"):
            raise ExplainedError(f"This run does not hold the build any more. {answer['msg']}", resource=self._task.args["unit"])
        if answer.get("failed"):
            # AWS may be away for a moment; the lease lasts much longer than that.
            Display().warning(f"The lease could not be renewed, which is tried again: {answer.get('msg')}")


class Watch:
    """Follows one build. `command` runs a shell command on the host and returns its output; `tell` says elsewhere how far it is."""

    def __init__(self, options, command, *, host="", clock=time.monotonic, sleep=time.sleep, show=None, tell=None):
        self.options, self.command, self.host, self.clock, self.sleep, self.tell = options, command, host, clock, sleep, tell
        self.done_at_start = None
        self.show = show or (lambda line: Display().display(line, color="cyan"))
        self.started = clock()
        self.lines, self.lock = [], None
        self.status, self.active = {}, True

    def until_it_ends(self):
        """Look again and again; return the facts of a finished build. Raises ExplainedError when it failed or was lost."""
        shown, shown_at, told_at = None, self.clock(), None
        while True:
            self.look_patiently()
            now, text = self.clock(), self.text()
            if self.tell and (told_at is None or now - told_at >= self.options["lease_interval"]):
                self.tell(text)
                told_at = now
            if text != shown or now - shown_at >= self.options["heartbeat"]:
                self.show(f"{self.host} | {self.elapsed()} | {text}")
                shown, shown_at = text, now
            if not self.active:
                return self.outcome()
            if 0 < self.options["timeout"] <= now - self.started:
                raise ExplainedError(
                    f"The build is still running after {int(self.options['timeout'])} seconds.",
                    resource=self.options["unit"],
                    next_step="It goes on by itself: run the play again to go on watching, or set a longer timeout.",
                )
            self.sleep(self.options["interval"])

    def look_patiently(self):
        """Look once; while the connection fails, try again until connection_timeout has passed."""
        lost_at = None
        while True:
            try:
                return self.look()
            except AnsibleConnectionFailure as failure:
                lost_at = self.clock() if lost_at is None else lost_at
                if self.clock() - lost_at >= self.options["connection_timeout"]:
                    raise ExplainedError(
                        f"The host has not answered for {int(self.clock() - lost_at)} seconds: {failure}",
                        resource=self.host,
                        next_step="If the host still runs, the build does too: run the play again to go on watching.",
                    ) from failure
                self.sleep(self.options["interval"])

    def look(self):
        """Read the state of the unit, the status, what is new in the log and, once, the lock: in one command."""
        quoted = {name: shlex.quote(self.options[name]) for name in ("unit", "status", "log", "lock")}
        # The unit first: a build that ends between two of these must be seen as running, with the last lines still to come.
        parts = ["systemctl is-active {unit}", "cat {status}", f"tail -n +{len(self.lines) + 1} {{log}}"]
        if self.lock is None:
            parts.append("cat {lock}")
        script = "; ".join(f"{part} 2>/dev/null; echo; echo {SEPARATOR}" for part in parts).format(**quoted)
        # With become, ssh opens a terminal, which ends lines in CR LF.
        *answers, end = self.command(script).replace("\r\n", "\n").split(f"\n{SEPARATOR}")
        if len(answers) != len(parts):
            raise AnsibleConnectionFailure(f"the answer ended with {end!r}")
        answers = [answer.removeprefix("\n") for answer in answers]
        self.active = answers[0].strip() in ("active", "activating", "deactivating", "reloading")
        self.status = json.loads(answers[1] or "{}")
        self.read_log(answers[2])
        # Until versions are chosen the lock is that of an earlier build.
        if self.lock is None and self.status.get("stage", "start") not in ("start", "concretize"):
            self.lock = json.loads(answers[3])

    def read_log(self, new):
        """Keep the whole lines of what is new; the rest is read again with the next look."""
        self.lines += new.split("\n")[:-1]

    def text(self):
        """Say in one line where the build stands."""
        stage = self.status.get("stage", "start")
        found = self.progress()
        line = progress_line(STAGES.get(stage, stage), found)
        if not found:
            return line
        self.done_at_start = found.done if self.done_at_start is None else self.done_at_start
        left = seconds_left(found, self.done_at_start, self.clock() - self.started, self.options["seconds_per_package"])
        return f"{line} | about {max(1, round(left / 60))} min left" if left else line

    def progress(self):
        return progress(self.lock, self.lines) if self.lock else None

    def elapsed(self):
        minutes, seconds = divmod(int(self.clock() - self.started), 60)
        return f"{minutes:3d}:{seconds:02d}"

    def facts(self):
        found = self.progress()
        return {
            **({"progress": found.to_dict()} if found else {}),
            "stages": self.status.get("stages", {}),
            "failures": self.status.get("failures", []),
        }

    def outcome(self):
        """Return the facts of a build that has ended well, or raise ExplainedError."""
        state = self.status.get("state")
        if state == "done":
            return self.facts()
        if state == "failed":
            raise ExplainedError(explain_failures(self.status, self.progress()))
        raise ExplainedError(
            "The build has stopped without a word: it was killed, or the host ran out of memory or was restarted. "
            "What is finished is kept: run the play again to build the rest. The log ends:\n" + "\n".join(self.lines[-TAIL_LINES:]),
            resource=self.options["unit"],
        )
