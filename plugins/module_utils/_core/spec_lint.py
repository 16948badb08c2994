# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One spec against the recipes: what it asks for that no recipe has, and what to write instead."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator, Mapping

from .errors import ExplainedError
from .recipe import own_settings
from .recipe_index import Recipe, Recipes
from .spack_spec import Constraint, NamedPackage, named_packages
from .spack_version import nearest, satisfies
from .spec_needs import possible_versions

# Of every package, without its recipe saying so. Source: Spack 1.2, lib/spack/spack/variant.py (RESERVED_NAMES) and its compiler flags.
_OF_EVERY_PACKAGE = {"arch", "architecture", "platform", "os", "operating_system", "target", "namespace"}
_OF_EVERY_PACKAGE |= {"cflags", "cxxflags", "fflags", "cppflags", "ldflags", "ldlibs"}
_OF_EVERY_PACKAGE |= {"branch", "commit", "dev_path", "patches", "ref", "tag"}

# Names that Spack still takes after %. Source: Spack 1.2, lib/spack/spack/aliases.py.
_COMPILERS = {
    "clang": "llvm",
    "oneapi": "intel-oneapi-compilers",
    "intel": "intel-oneapi-compilers-classic",
    "rocmcc": "llvm-amdgpu",
    "arm": "acfl",
}
_SWITCH = ["True", "False"]


@dataclasses.dataclass(frozen=True)
class Edit:
    """Write `text` in the place of what stands from `begin` to `end`."""

    begin: int
    end: int
    text: str


@dataclasses.dataclass(frozen=True)
class Miss:
    """One thing that a spec asks for and no recipe has.

    begin: where in the spec it stands.
    sentence: what is wrong, and what there is instead.
    edits: what would mend it; empty where only a person can know.
    unknown_package: no recipe can be found for the package, so that nothing else of the spec was checked.
    """

    begin: int
    sentence: str
    edits: tuple[Edit, ...] = ()
    unknown_package: bool = False


def apply_edits(text: str, edits: list[Edit]) -> str:
    """Return the text with every edit made; what is taken out takes the blanks before it along."""
    for edit in sorted(edits, key=lambda edit: edit.begin, reverse=True):
        before = text[: edit.begin] if edit.text else text[: edit.begin].rstrip(" ")
        text = before + edit.text + text[edit.end :]
    return text


def lint_spec(text: str, recipes: Recipes, values: Mapping[str, str] | None = None) -> list[Miss]:
    """Return everything that a spec asks for and the recipes lack or refuse, in the order of the spec.

    values: what to write for variants that a recipe wants to be set and nobody has set: {"cuda_arch": "75,86"}.
    """
    try:
        packages = named_packages(text)
    except ExplainedError as error:
        return [_unreadable(text, str(error), recipes)]
    found = [miss for package in packages for miss in (*_misses(package, recipes), *_conflicts(package, recipes, values or {}))]
    return sorted(found, key=lambda miss: miss.begin)


def _unreadable(text: str, reason: str, recipes: Recipes) -> Miss:
    """A spec that Spack cannot read; bonnie++@2 is bonniepp@2, because recipes write ++ of a program's name as pp."""
    plus = re.match(r"\s*([\w-]+)(\+\+)", text)
    if plus and f"{plus[1]}pp" in recipes:
        mended = Edit(plus.start(2), plus.end(2), "pp")
        further = lint_spec(apply_edits(text, [mended]), recipes)
        # Both texts are equally long: places in the one are places in the other.
        return Miss(
            0, " ".join([reason, *(miss.sentence for miss in further)]), (mended, *(edit for miss in further for edit in miss.edits))
        )
    return Miss(0, reason)


def _misses(package: NamedPackage, recipes: Recipes) -> Iterator[Miss]:
    written = package.find("name")
    if written is None:
        return
    name = _COMPILERS.get(package.name, package.name) if package.sigil == "%" else package.name
    if name in recipes:
        yield from _constraint_misses(package, recipes.recipe(name), recipes)
    elif package.sigil and name in recipes.virtuals:
        return
    else:
        miss, meant = _name_miss(package, written, recipes)
        if miss:
            yield miss
        if meant:
            yield from _constraint_misses(package, recipes.recipe(meant), recipes)


def _conflicts(package: NamedPackage, recipes: Recipes, values: Mapping[str, str]) -> Iterator[Miss]:
    """What the package's recipe refuses for certain: for every version that may be taken, and whatever else Spack chooses."""
    if package.name not in recipes:
        return
    recipe = recipes.recipe(package.name)
    versions = _candidates(package, recipe)
    set_here = {constraint.key: constraint for constraint in package.constraints if constraint.kind in ("flag", "pair")}
    settings = {name: constraint.value for name, constraint in set_here.items()}
    kept = {
        name: definition["sticky"]
        for name, definitions in recipe.variants.items()
        for definition in definitions
        if name not in settings and "sticky" in definition and _hold(own_settings(definition["when"]), versions, settings)
    }
    refused = {
        tuple(sorted(wanted.items())): message
        for own_versions, wanted, message in recipe.conflicts
        if _hold((own_versions, wanted), versions, {**kept, **settings})
    }
    for wanted, message in refused.items():
        yield _conflict_miss(package, dict(wanted), message, set_here, values)


def _hold(own: tuple[list[str], dict[str, str]] | None, versions: list[str], settings: Mapping[str, str]) -> bool:
    """Whether a package fulfils conditions in all of these versions, with these values of its variants."""
    if own is None:
        return False
    constraints, wanted = own
    return (
        bool(versions or not constraints)
        and all(satisfies(version, constraint) for version in versions for constraint in constraints)
        and all(name in settings and set(value.split(",")) <= set(settings[name].split(",")) for name, value in wanted.items())
    )


def _conflict_miss(
    package: NamedPackage, wanted: dict[str, str], message: str, set_here: Mapping[str, Constraint], values: Mapping[str, str]
) -> Miss:
    places = [set_here[name] for name in wanted if name in set_here] or [package.find("versions") or package.find("name")]
    unset = [name for name in wanted if name not in set_here]
    refused = "".join(f"{value}{name}" if value in ("+", "~") else f" {name}={value}" for name, value in wanted.items())
    sentence = f"the recipe of {package.name} refuses {package.name}{f'@{package.versions}' if package.versions else ''}{refused}"
    sentence += f": {message}." if message else "."
    if unset and all(name in values for name in unset):
        instead = " ".join(f"{name}={values[name]}" for name in unset)
        sentence += f" For the machines of this seed: {instead}."
        return Miss(places[-1].begin, sentence, (Edit(places[-1].end, places[-1].end, f" {instead}"),))
    if unset:
        sentence += f" Set {' and '.join(unset)}."
    return Miss(places[-1].begin, sentence)


def _name_miss(package: NamedPackage, written: Constraint, recipes: Recipes) -> tuple[Miss | None, str | None]:
    """Return the miss of a name that no recipe has, and the package that must be meant, if that is certain enough."""
    if not recipes.complete:
        return None, None
    name, choices = package.name, recipes.replacements(package.name)
    if choices:
        meant = next((choice for choice in choices if _allowed(recipes.recipe(choice), package.versions)), choices[0])
        what = "a virtual package, which others provide" if name in recipes.virtuals else "not the name of a recipe"
        others = [choice for choice in choices if choice != meant][:4]
        also = f" ({', '.join(others)} would do too)" if others else ""
        edit = Edit(written.begin, written.end, meant)
        return Miss(written.begin, f"{name} is {what}; use {meant}{also}.", (edit,)), meant
    owners = [owner for owner in recipes.owners_of_variant(name) if recipes.recipe(owner).variants[name][0]["values"] == _SWITCH]
    if len(owners) == 1:
        last = package.find("versions") or written
        edits = (Edit(written.begin, written.end, owners[0]), Edit(last.end, last.end, f"+{name}"))
        return Miss(written.begin, f"{name} is a part of {owners[0]}; use {owners[0]}+{name}.", edits), owners[0]
    alike = recipes.alike(name)
    hint = f"names that are spelt alike: {', '.join(alike)}" if alike else "no recipe has a name like it"
    return Miss(written.begin, f"no recipe is called {name}; {hint}.", unknown_package=True), None


def _constraint_misses(package: NamedPackage, recipe: Recipe, recipes: Recipes) -> Iterator[Miss]:
    yield from _version_misses(package, recipe, recipes)
    for constraint in package.constraints:
        # Spack hands a propagated one on to the packages that know it, and complains of none that does not.
        if constraint.kind in ("flag", "pair") and constraint.key not in _OF_EVERY_PACKAGE and not constraint.propagated:
            yield from _variant_misses(constraint, package, recipe)


def _version_misses(package: NamedPackage, recipe: Recipe, recipes: Recipes) -> Iterator[Miss]:
    written = package.find("versions") or package.find("name")
    if written is None or _is_commit(package.versions) or not recipe.complete:
        return
    switches = {constraint.key: constraint.value for constraint in package.constraints if constraint.kind == "flag"}
    allowed = [version for version in recipe.usable_versions if satisfies(version, package.versions)]
    found = possible_versions(recipe.name, allowed, switches, recipes)
    if found.versions:
        return
    if allowed:
        what = f"can have no usable version of {' or '.join(found.lacking)}, which it needs"
    elif any(satisfies(version, package.versions) for version in recipe.versions):
        what = "is deprecated, and Spack refuses it"
    else:
        what = "does not exist in the recipes"
    asked_for = f"{recipe.name}@{package.versions}" if package.versions else recipe.name
    instead = nearest(package.versions, possible_versions(recipe.name, recipe.usable_versions, switches, recipes).versions)
    if instead is None:
        yield Miss(written.begin, f"{asked_for} {what}; there is no usable version at all.")
    else:
        edit = Edit(written.begin, written.end, f"@{instead}")
        yield Miss(written.begin, f"{asked_for} {what}; the nearest usable version is {instead}.", (edit,))


def _candidates(package: NamedPackage, recipe: Recipe) -> list[str]:
    """Return the versions that may be taken; where none may, the one that will be written instead. Of a commit, nothing is known."""
    if _is_commit(package.versions):
        return []
    allowed = [version for version in recipe.usable_versions if satisfies(version, package.versions)]
    return allowed or list(filter(None, [nearest(package.versions, recipe.usable_versions)]))


def _allowed(recipe: Recipe, constraint: str) -> bool:
    return any(satisfies(version, constraint) for version in recipe.usable_versions)


def _is_commit(version: str) -> bool:
    return version.startswith("git.") or re.match(r"[A-Fa-f0-9]{40}\b", version) is not None


def _variant_misses(constraint: Constraint, package: NamedPackage, recipe: Recipe) -> Iterator[Miss]:
    definitions = recipe.variants.get(constraint.key)
    if definitions is None:
        if recipe.complete:
            yield _unknown_variant(constraint, recipe)
        return
    candidates = _candidates(package, recipe)
    possible = [definition for definition in definitions if _may_hold(definition["when"], candidates)]
    if not possible:
        conditions = " or ".join(" ".join(definition["when"]) for definition in definitions)
        versions = package.versions if _allowed(recipe, package.versions) else "".join(candidates)
        sentence = f"{recipe.name}@{versions} has no variant {constraint.key}, which is for {conditions}; leave it out."
        yield Miss(constraint.begin, sentence, (Edit(constraint.begin, constraint.end, ""),))
    elif all(definition["values"] is not None for definition in possible):
        choices = list(dict.fromkeys(value for definition in possible for value in definition["values"]))
        yield from _value_misses(constraint, recipe, choices)


def _unknown_variant(constraint: Constraint, recipe: Recipe) -> Miss:
    switch = constraint.kind == "flag"
    similar = [name for name, definitions in recipe.variants.items() if not switch or definitions[0]["values"] == _SWITCH]
    alike = difflib.get_close_matches(constraint.key, similar, n=1, cutoff=0.75)
    what = f"{recipe.name} has no variant {constraint.key}"
    if not alike:
        known = f"it has {', '.join(sorted(recipe.variants))}" if recipe.variants else "it has none at all"
        return Miss(constraint.begin, f"{what}; leave it out ({known}).", (Edit(constraint.begin, constraint.end, ""),))
    instead = f"{constraint.value}{alike[0]}" if switch else f"{alike[0]}={constraint.value}"
    return Miss(constraint.begin, f"{what}; use {alike[0]}.", (Edit(constraint.begin, constraint.end, instead),))


def _value_misses(constraint: Constraint, recipe: Recipe, choices: list[str]) -> Iterator[Miss]:
    """choices: the values that the variant takes; those of a switch are True and False."""
    name, place = constraint.key, (constraint.begin, constraint.end)
    shown = ", ".join("+" + name if choice == "True" else "~" + name if choice == "False" else choice for choice in choices)
    if constraint.kind == "flag":
        if "True" not in choices:
            yield Miss(constraint.begin, f"the variant {name} of {recipe.name} takes a value, {name}=...: {shown}.")
        return
    values = [value for value in constraint.value.split(",") if value.capitalize() not in _SWITCH and value != "*"]
    wrong = [value for value in values if value not in choices]
    if wrong and choices == _SWITCH:
        yield Miss(constraint.begin, f"the variant {name} of {recipe.name} is switched on or off: {shown}.")
    elif wrong:
        alike = [difflib.get_close_matches(value, choices, n=1, cutoff=0.75) for value in wrong]
        edits = ()
        if all(alike):
            instead = {value: found[0] for value, found in zip(wrong, alike, strict=True)}
            edits = (Edit(*place, f"{name}={','.join(instead.get(value, value) for value in values)}"),)
        yield Miss(constraint.begin, f"{name}={','.join(wrong)} is no choice of {recipe.name}; choose from {shown}.", edits)


def _may_hold(conditions: list[str], candidates: list[str]) -> bool:
    """Whether one of the versions fulfils the conditions, as far as they are about versions."""
    wanted = [found for found in map(_own_versions, conditions) if found]
    return not candidates or any(all(satisfies(version, constraint) for constraint in wanted) for version in candidates)


def _own_versions(condition: str) -> str:
    """Return what a `when` says of the package's own version; "" where it says nothing, or nothing that can be read."""
    found = re.match(r"[\w-]*@([^\s+~^%]+)", condition)
    return found[1] if found else ""
