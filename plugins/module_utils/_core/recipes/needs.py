# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which versions of a package have all that they need, as far as the recipes alone can tell.

Spack's solver decides in the end. This looks only at what is certain, the dependencies that hold whatever variants are chosen, and
strikes out versions until those that are left have a usable version of each: what it strikes out, no solver can build.
"""

from __future__ import annotations

import dataclasses

from ..software.version import satisfies
from .index import Recipes


@dataclasses.dataclass(frozen=True)
class Possible:
    """versions: those of a package that can be built; lacking: what the others need and cannot have, as specs."""

    versions: list[str]
    lacking: list[str]


def possible_versions(name: str, versions: list[str], switches: dict[str, str], recipes: Recipes) -> Possible:
    """Return which of these versions of a package have a usable version of everything they need.

    switches: the variants that the spec sets, by name: "+" or "~".
    """
    search = _Search(recipes, name, versions, switches)
    search.run()
    return Possible(search.candidates[name], sorted(search.lacking))


class _Search:
    """Strikes out versions, package by package, until nothing changes.

    candidates: by package, the versions that may still be part of a build of the root.
    parents: by package, those that need it.
    """

    def __init__(self, recipes: Recipes, root: str, versions: list[str], switches: dict[str, str]) -> None:
        self.recipes, self.root, self.switches = recipes, root, switches
        self.candidates: dict[str, list[str]] = {root: versions}
        self.parents: dict[str, set[str]] = {}
        self.lacking: set[str] = set()

    def run(self) -> None:
        waiting = {self.root}
        while waiting and self.candidates[self.root]:
            waiting |= self.visit(waiting.pop())

    def visit(self, package: str) -> set[str]:
        """Strike out versions of one package, then of those that it needs; return the packages that have to be looked at again."""
        switches = self.switches if package == self.root else {}
        needs = {version: self.recipes.certain_needs(package, version, switches) for version in self.candidates[package]}
        kept = {version: needed for version, needed in needs.items() if all(map(self.can_have, needed))}
        again = set() if len(kept) == len(needs) else set(self.parents.get(package, ()))
        self.candidates[package] = list(kept)
        shared = [{name: constraint for name, constraint, together in needed if together} for needed in kept.values()]
        for name in set.intersection(*map(set, shared)) if shared else ():
            self.parents.setdefault(name, set()).add(package)
            known = self.candidates.get(name)
            choices = self.usable(name) if known is None else known
            wishes = {tuple(constraint for other, constraint, together in needed if together and other == name) for needed in kept.values()}
            fitting = [choice for choice in choices if any(all(satisfies(choice, wish) for wish in together) for together in wishes)]
            if known is None or len(fitting) < len(known):
                self.candidates[name] = fitting
                again |= {name, *self.parents[name]}
        return again

    def can_have(self, need: tuple[str, str, bool]) -> bool:
        name, constraint, shared = need
        choices = self.candidates.get(name) if shared else None
        if any(satisfies(choice, constraint) for choice in (self.usable(name) if choices is None else choices)):
            return True
        self.lacking.add(f"{name}@{constraint}" if constraint else name)
        return False

    def usable(self, name: str) -> list[str]:
        return self.recipes.recipe(name).usable_versions
