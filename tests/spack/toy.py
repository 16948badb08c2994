"""The toy packages, as variables of the collection: for the demo and for tests that build on the lab's hosts."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import yaml

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.software.spec import spec_name
from tests.lab import places
from tests.spack import make_stand_in

RECIPES = places.REPOSITORY / "tests/spack/toyrepo/spack_repo/toy"


def is_real() -> bool:
    """Tell whether the real Spack is asked for, as `make test-real` does; else tests take the stand-in, whatever lies in the cache."""
    return os.environ.get("PETAL_SPACK") == "real"


def variables(real: bool | None = None) -> dict[str, Any]:
    """Return the variables with which playbooks and roles build the toy packages.

    real: by the real Spack, whose git mirror then has to be in the cache (scripts/spack_mirror.sh). None: as the tests are asked to.
    """
    repository = places.cache() / "spack.git" if (is_real() if real is None else real) else make_stand_in.ensure(places.cache())
    return {
        "spack_version": make_stand_in.TAG,
        # Hosts of the lab see the cache there.
        "spack_bootstrap_git_url": f"file:///srv/petal/{repository.name}",
        "spack_bootstrap_repos_override": True,
        "spack_bootstrap_lmod": False,  # there is no toy recipe of Lmod; nodes have Environment Modules
        "spack_bootstrap_extra_repos": [
            {"name": "toy", "path": str(RECIPES)},
            # Spack's own test recipes bring the compiler recipes that it cannot do without.
            {"name": "builtin_mock", "host_path": "$spack/var/spack/test_repos/spack_repo/builtin_mock"},
        ],
    }


def lacking(seed: pathlib.Path) -> list[str]:
    """Say which packages of a seed have no toy recipe; no line when all have one. A seed that cannot be read is not judged here."""
    try:
        packages = yaml.safe_load(seed.read_text())["software"]["spack_packages"]
        names = {spec_name(spec) for spec in packages}
    except (OSError, yaml.YAMLError, TypeError, KeyError, ExplainedError):
        return []
    recipes = {path.parent.name.replace("_", "-") for path in RECIPES.glob("packages/*/package.py")}
    if names <= recipes:
        return []
    return [f"the toy repository has no recipe for {', '.join(sorted(names - recipes))}; it has {', '.join(sorted(recipes))}"]
