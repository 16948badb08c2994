# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A seed's packages as one Spack environment."""

from __future__ import annotations

from ..errors import ExplainedError
from .configuration import LANGUAGES


def environment(packages: list[str], paths: dict[str, str], compiler: str | None = None, lmod: bool = False) -> dict[str, object]:
    """Return spack.yaml: every package in one environment, so that all of them are concretised together.

    packages: canonical specs; the order does not matter.
    paths: what `layout` returned.
    compiler: a spec such as "gcc@12.5.0" that is built first and then required for every package; None for the host's own.
    lmod: whether Lmod joins the packages.
    Source: Spack 1.2, schema/env.py (groups of specs with `needs` and `override`).
    """
    if not packages:
        raise ExplainedError("A Spack environment needs at least one package.", next_step="List packages in software.spack_packages.")
    specs: list[object] = sorted({*packages, *(["lmod"] if lmod else [])})
    if compiler:
        # Of the packages, not of the languages: a compiler required for C would be required for its own build, too. The last one, any
        # version, is for packages in no language.
        built_by = {"any_of": [*(f"%{language}={compiler}" for language in LANGUAGES), "@:"]}
        specs = [
            {"group": "compiler", "specs": [compiler]},
            {"group": "packages", "needs": ["compiler"], "specs": specs, "override": {"packages": {"all": {"require": [built_by]}}}},
        ]
    # Spack 1.2 forgets finished packages when it is killed: each is pushed here the moment it is done, and found again by the next run.
    # Here and not in the configuration of the volume: who uses Spack on a node has no business with it.
    cache = {"url": f"file://{paths['build_cache']}", "signed": False, "autopush": True, "binary": True, "source": False}
    return {
        "spack": {
            "specs": specs,
            "view": False,
            "concretizer": {"unify": "when_possible", "reuse": False},
            "mirrors": {"petal-volume": cache},
        }
    }
