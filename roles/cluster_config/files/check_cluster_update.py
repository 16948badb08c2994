"""Ask aws-parallelcluster whether a cluster can be changed from one configuration to another, without AWS.

check_cluster_update.py [--compute-nodes] [--login-nodes] OLD.yaml NEW.yaml

Runs ParallelCluster's own comparison (config.config_patch) for a cluster that has compute or login nodes running, or not.

Prints one JSON object: {"parallelcluster": version, "allowed", "changes": [{"parameter", "check", "reason", "action", "policy"}]}.
Exit status: 0 allowed, 1 refused, 2 the check itself could not be made.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import sys
from typing import Any


@dataclasses.dataclass(frozen=True)
class RunningCluster:
    """What the comparison asks of a cluster, which it otherwise reads from AWS."""

    compute_nodes: bool
    login_nodes: bool
    name: str = "cluster"
    stack_name: str = "cluster"

    def has_running_capacity(self, updated_value: bool = False) -> bool:
        return self.compute_nodes

    def has_running_login_nodes(self, updated_value: bool = False, pool_name: str | None = None) -> bool:
        return self.login_nodes


def check_update(old: dict[str, Any], new: dict[str, Any], cluster: RunningCluster) -> dict[str, Any]:
    """Return {"allowed", "changes"} for a change from one parsed configuration to another."""
    from pcluster.config.config_patch import ConfigPatch

    allowed, (header, *rows) = ConfigPatch(cluster, old, new).check()
    changes = []
    for row in rows:
        facts = dict(zip(header, row, strict=True))
        changes.append(
            {
                "parameter": ConfigPatch.build_config_param_path(facts["param_path"], facts["parameter"]),
                "check": facts["check"],
                "reason": facts["reason"],
                "action": facts["action_needed"],
                "policy": facts["update_policy"],
            }
        )
    return {"allowed": allowed, "changes": changes}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", metavar="OLD.yaml", type=pathlib.Path)
    parser.add_argument("new", metavar="NEW.yaml", type=pathlib.Path)
    parser.add_argument("--compute-nodes", action="store_true", help="compute nodes run")
    parser.add_argument("--login-nodes", action="store_true", help="login nodes run")
    options = parser.parse_args()
    try:
        import yaml
        from pcluster.utils import get_installed_version

        old, new = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in (options.old, options.new))
        # ParallelCluster looks up the region's partition, and asks no one.
        os.environ.setdefault("AWS_DEFAULT_REGION", old.get("Region", "us-east-1"))
        answer = check_update(old, new, RunningCluster(options.compute_nodes, options.login_nodes))
    except ImportError as error:
        print(f"{sys.executable} cannot import aws-parallelcluster: {error}", file=sys.stderr)
        return 2
    print(json.dumps({"parallelcluster": get_installed_version(), **answer}))
    return 0 if answer["allowed"] else 1


if __name__ == "__main__":
    sys.exit(main())
