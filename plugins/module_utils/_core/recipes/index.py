# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An index of recipe repositories: which packages there are, and what each declares, with what its base classes declare."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..software.package_names import LANGUAGES
from ..software.version import satisfies
from .recipe import Conflict, Need

# Goes into the names of kept indexes: one that was written by another version of this code is not read.
INDEX_FORMAT = 2

# Ways in which distributions and Spack name one project: perf is linux-perf, xml2 is libxml2.
_PREFIXES = ("netlib-", "linux-", "lib")

_LISTS = ("provides", "needs", "conflicts", "licenses", "sources")


def index_recipes(namespace: str, files: Mapping[str, Any]) -> dict[str, Any]:
    """Return the index of one repository, as JSON values.

    namespace: the name of the repository, "builtin".
    files: what `recipe.read_recipe` returned, by the file's path in the repository: "packages/zlib/package.py", "build_systems/cuda.py".
    """
    modules = {f"spack_repo.{namespace}." + path.removesuffix(".py").replace("/", "."): recipe for path, recipe in files.items()}
    classes: dict[str, Any] = {}
    packages: dict[str, str] = {}
    for module, recipe in modules.items():
        for name, declared in recipe["classes"].items():
            classes[f"{module}.{name}"] = {**declared, "bases": [_defined(f"{module}.{base}", modules) for base in declared["bases"]]}
        directory = re.fullmatch(r".*\.packages\.([^.]+)\.package", module)
        name = _package_class(directory[1], recipe["classes"]) if directory else None
        # Some virtual packages have a file of their own; that does not make them packages that can be built.
        if name and not recipe["classes"][name].get("virtual"):
            packages[_package_name(directory[1])] = f"{module}.{name}"
    return {"format": INDEX_FORMAT, "namespace": namespace, "packages": packages, "classes": classes}


def _defined(name: str, modules: Mapping[str, Any]) -> str:
    """Return the full name of the class that a name in a module means; where nothing says what it means, the name as it is.

    Followed through every module that only imports it: build_systems.generic.Package is spack.package.Package.
    """
    module, _dot, written = name.rpartition(".")
    first = written
    while module and module not in modules:
        module, _dot, first = module.rpartition(".")
    if not module or first in modules[module]["classes"]:
        return name
    origin = modules[module]["imports"].get(first)
    if origin is None:
        # `from spack.package import *` brings what has variants of its own too, in repositories for older Spack: only this one is certain.
        return "spack.package.PackageBase" if written == "PackageBase" else written
    dots = len(origin) - len(origin.lstrip("."))
    if dots:
        origin = ".".join([*module.split(".")[:-dots], origin[dots:]])
    return _defined(origin + name.removeprefix(f"{module}.{first}"), modules)


def _package_name(directory: str) -> str:
    """Return the package's name: py_numpy holds py-numpy, _3proxy holds 3proxy."""
    return directory.removeprefix("_").replace("_", "-")


def _package_class(directory: str, classes: Mapping[str, Any]) -> str | None:
    """Return the class that Spack takes for the package: PyNumpy in py_numpy; None in a file without classes."""
    letters = re.sub(r"[^a-z0-9]", "", directory.lower())
    return next((name for name in classes if name.lower().replace("_", "") == letters), next(reversed(classes), None))


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What one package declares, together with its base classes.

    versions: version: whether it is deprecated.
    complete: False where versions are computed or a base class cannot be read, so that what is missing here may exist all the same.
    readable: whether every base class can be read, so that there are no variants but these.
    variants: name: definitions with "values" (None for any), "when" and, of one that keeps its default, "sticky".
    """

    name: str
    versions: dict[str, bool] = dataclasses.field(default_factory=dict)
    complete: bool = True
    readable: bool = True
    variants: dict[str, list[dict[str, Any]]] = dataclasses.field(default_factory=dict)
    provides: list[str] = dataclasses.field(default_factory=list)
    needs: list[Need] = dataclasses.field(default_factory=list)
    conflicts: list[Conflict] = dataclasses.field(default_factory=list)
    licenses: list[str] = dataclasses.field(default_factory=list)
    sources: list[str] = dataclasses.field(default_factory=list)

    @functools.cached_property
    def usable_versions(self) -> list[str]:
        return [version for version, deprecated in self.versions.items() if not deprecated]


class Recipes:
    """Packages of one or more repositories; the first that has a package wins, as in Spack."""

    def __init__(self, indexes: Iterable[Mapping[str, Any]], complete: bool = True) -> None:
        """indexes: what `index_recipes` returned; complete: whether no repository is missing among them."""
        self.complete = complete
        self._classes: dict[str, Any] = {}
        self._packages: dict[str, str] = {}
        self._recipes: dict[str, Recipe] = {}
        self._needs: dict[tuple[str, str], list[Need]] = {}
        for index in indexes:
            self._classes = {**index["classes"], **self._classes}
            self._packages = {**index["packages"], **self._packages}

    def __contains__(self, name: str) -> bool:
        return name in self._packages

    @functools.cached_property
    def virtuals(self) -> dict[str, list[str]]:
        """The packages that provide each virtual one: {"mpi": ["mpich", "openmpi", ...]}."""
        found: dict[str, set[str]] = {}
        for package, key in self._packages.items():
            for written in self._provided(key):
                # provides("mpi@3.1") and provides("c", "cxx") alike.
                found.setdefault(re.split(r"[@\s]", written)[0], set()).add(package)
        return {virtual: sorted(providers) for virtual, providers in found.items()}

    def _provided(self, key: str) -> list[str]:
        """Return what a class and its base classes provide, without the cost of merging all that they declare."""
        declared = self._classes.get(key, {"bases": ()})
        return [*declared.get("provides", ()), *(virtual for base in declared["bases"] if base != key for virtual in self._provided(base))]

    def recipe(self, name: str) -> Recipe:
        """Return what a package of the index declares."""
        if name not in self._recipes:
            self._recipes[name] = self._merged(name)
        return self._recipes[name]

    def certain_needs(self, name: str, version: str, switches: Mapping[str, str]) -> list[tuple[str, str, bool]]:
        """Return name, versions and whether it is shared of all that a version of a package needs and whose recipe says everything.

        switches: the variants that are set, by name: "+" or "~".
        """
        key = (name, version)
        if key not in self._needs:
            self._needs[key] = [
                need
                for need in self.recipe(name).needs
                if all(satisfies(version, own) for own in need[2]) and need[0] in self and self.recipe(need[0]).complete
            ]
        return [
            (needed, constraint, shared)
            for needed, constraint, _versions, own_switches, shared in self._needs[key]
            if own_switches.items() <= switches.items()
        ]

    def _merged(self, name: str) -> Recipe:
        merged: dict[str, Any] = {"versions": {}, "variants": {}, "complete": True, "readable": True, **{part: [] for part in _LISTS}}
        self._merge(self._packages[name], merged, set())
        return Recipe(name, **merged)

    def _merge(self, key: str, merged: dict[str, Any], seen: set[str]) -> None:
        """Add the declarations of a class, base classes first."""
        if key in seen:
            return
        seen.add(key)
        declared = self._classes.get(key)
        if declared is None:
            # What comes from Spack itself declares nothing; any other class we should have been able to read.
            merged["readable"] &= key.startswith("spack.")
            merged["complete"] &= merged["readable"]
            return
        for base in declared["bases"]:
            self._merge(base, merged, seen)
        merged["complete"] &= not declared.get("computed", False)
        merged["versions"] = {**merged["versions"], **declared.get("versions", {})}
        for variant, definitions in declared.get("variants", {}).items():
            replaced = [definition["when"] for definition in definitions]
            inherited = [definition for definition in merged["variants"].get(variant, []) if definition["when"] not in replaced]
            merged["variants"][variant] = inherited + definitions
        for part in declared.keys() & set(_LISTS):
            merged[part] = merged[part] + declared[part]

    def has_versions(self, virtual: str) -> bool:
        """Whether a virtual package has versions of its own: 3 of `mpi@3` is a version of the standard, not of who provides it."""
        written = (name for package in self.virtuals.get(virtual, ()) for name in self._provided(self._packages[package]))
        return any(name.startswith(f"{virtual}@") for name in written)

    def of_that_name(self, name: str) -> list[str]:
        """Return the packages that a name which is none stands for: the one that is spelt so, or those of a language, py-NAME."""
        spelt = _spelt(name)
        return [spelt] if spelt in self else [f"{prefix}{spelt}" for prefix in LANGUAGES if f"{prefix}{spelt}" in self]

    @functools.cached_property
    def _by_project(self) -> dict[str, list[str]]:
        """Packages by the names that their projects go by: the archive's name, the repository's name."""
        found: dict[str, list[str]] = {}
        for package, key in self._packages.items():
            for project in {_letters(_project(url)) for url in self._classes[key].get("sources", ())}:
                found.setdefault(project, []).append(package)
        # A name that several packages share (llvm-project, boost-tools) says nothing.
        return {project: packages for project, packages in found.items() if len(packages) == 1}

    def alike(self, name: str) -> list[str]:
        """Return packages that may be meant: of a project of this name, with a prefix, or spelt like it."""
        spelt = _spelt(name)
        found = self._by_project.get(_letters(spelt), []) + [f"{prefix}{spelt}" for prefix in _PREFIXES if f"{prefix}{spelt}" in self]
        return list(dict.fromkeys(found + difflib.get_close_matches(name, self._packages, n=3, cutoff=0.7)))


def licenses(indexes: Iterable[Mapping[str, Any]], package: str) -> list[str]:
    """Return the SPDX licence expressions that a package's recipe declares; none where it declares none or is unknown."""
    recipes = Recipes(indexes)
    return recipes.recipe(package).licenses if package in recipes else []


def _spelt(name: str) -> str:
    """Return a name as recipes are called."""
    return name.lower().replace("_", "-").strip("-")


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9+]", "", text.lower())


def _project(url: str) -> str:
    """Return the project's name in a URL: pnetcdf of .../Release/pnetcdf-1.11.0.tar.gz and of .../PnetCDF.git."""
    file = url.rstrip("/").rpartition("/")[2]
    return re.sub(r"([-_.]?v?\d[\w.]*)?(\.(git|zip|tgz|tar(\.\w+)?))?$", "", file)
