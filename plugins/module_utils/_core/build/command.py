# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command that builds a variant: run as it is printed, it builds that and nothing else."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from ..seed.variant import seed_variants
from ..software.fingerprint import DECIDING_OPTIONS, deciding_options

# What Ansible reads from key=value as it stands; anything else is given as JSON.
_PLAIN = re.compile(r"[\w./:@+~,=-]+")


def build_command(
    seed_path: str,
    seed: Mapping[str, Any],
    variant: Mapping[str, Any],
    *,
    region: str | None = None,
    registry: str | None = None,
    role_variables: Mapping[str, Any] | None = None,
) -> str:
    """Return the command, with all that the seed alone would not say.

    seed: as read_seed returns it. variant: as the filter seed_variants returns it. region, registry: "" or None for none.
    role_variables: what was given to the role spack_bootstrap, with whole names; those that decide the build are repeated.
    """
    alone = next(one for one in seed_variants(dict(seed)) if one.arch == variant["arch"])
    differing = {
        "os": "os",
        "mount_path": "mount_path",
        "spack_version": "spack_version",
        "recipes_version": "recipes_version",
        "image_id": "build_host_image_id",
    }
    given: dict[str, Any] = {"seed": seed_path}
    given |= {"region": region} if region and region != seed["cluster"]["region"] else {}
    given |= {name: variant[key] for key, name in differing.items() if variant[key] and variant[key] != getattr(alone, key)}
    given |= {"registry": registry} if registry else {}
    given |= _deciding(role_variables or {})
    return " ".join(["ansible-playbook", "petal.hpc.build_seed", *(f"-e {_argument(name, value)}" for name, value in given.items())])


def _deciding(role_variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables that decide the build. Of the environment only what does: the way to a proxy may hold a password."""
    names = {key: f"spack_bootstrap_{key}" for key in sorted(DECIDING_OPTIONS)}
    found = {name: role_variables[name] for name in names.values() if name in role_variables}
    if names["environment"] in found:
        decides = deciding_options({"environment": found.pop(names["environment"])}).get("environment")
        found |= {names["environment"]: decides} if decides else {}
    return found


def _argument(name: str, value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return f"{name}={value}"
    return shlex.quote(json.dumps({name: value}))
