# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One spec against the recipes: what it asks for that no recipe has, and what to write instead.

A mend is for what has one answer. Where two are possible, or none, the spec stays, and the miss says why: what somebody has written is
never taken out, and no package becomes another one because their names look alike.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator, Mapping

from ..errors import ExplainedError
from ..software.package_names import COMPILERS, DEFAULT_PROVIDERS, RENAMED, RENAMED_VARIANTS
from ..software.spec import Constraint, NamedPackage, named_packages
from ..software.version import nearest, parse_version, satisfies
from .index import Recipe, Recipes
from .needs import possible_versions
from .recipe import own_settings

# Of every package, without its recipe saying so. Source: Spack 1.2, lib/spack/spack/variant.py (RESERVED_NAMES) and its compiler flags.
_OF_EVERY_PACKAGE = {"arch", "architecture", "platform", "os", "operating_system", "target", "namespace"}
_OF_EVERY_PACKAGE |= {"cflags", "cxxflags", "fflags", "cppflags", "ldflags", "ldlibs"}
_OF_EVERY_PACKAGE |= {"branch", "commit", "dev_path", "patches", "ref", "tag"}

# Of these, every second minor version is for development. Source: www.cpan.org/src/README.html.
_ODD_MINORS_ARE_FOR_DEVELOPMENT = {"perl"}
_SWITCH = ["True", "False"]
# A name is mended, then its version, then what that version wants to be set: more has not been seen.
_MAX_TURNS = 4


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
    edits: what would mend it, all of it or nothing; empty where only a person can know.
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
    found = [*_misses(text, packages, recipes), *(miss for package in packages for miss in _conflicts(package, recipes, values or {}))]
    return sorted(found, key=lambda miss: miss.begin)


def mend_spec(text: str, recipes: Recipes, values: Mapping[str, str] | None = None) -> str:
    """Return a spec with all mends made, also those of what the first ones bring to light; the arguments are those of `lint_spec`."""
    for _turn in range(_MAX_TURNS):
        edits = [edit for miss in lint_spec(text, recipes, values) for edit in miss.edits]
        if not edits:
            break
        text = apply_edits(text, edits)
    return text


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


def _misses(text: str, packages: list[NamedPackage], recipes: Recipes) -> Iterator[Miss]:
    """What the packages of one spec ask for and their recipes lack; each of a % belongs to the last one without."""
    parent, parent_recipe, taken = packages[0], None, set()
    for package in packages:
        miss, recipe = _look_up(package, recipes)
        misplaced: list[Constraint] = []
        if package.sigil != "%":
            parent, parent_recipe, taken = package, recipe, {constraint.key for constraint in package.constraints}
        elif recipe and parent_recipe:
            misplaced = [constraint for constraint in _settings(package) if _is_for_parent(constraint, recipe, parent_recipe)]
        if miss:
            yield miss
        if recipe:
            yield from _version_misses(package, recipe, recipes)
            rest = dataclasses.replace(package, constraints=tuple(known for known in package.constraints if known not in misplaced))
            for constraint in _settings(rest):
                if constraint.key not in _OF_EVERY_PACKAGE:
                    yield from _variant_misses(constraint, rest, recipe)
            if misplaced:
                yield _misplaced(text, misplaced, rest, recipe, parent, parent_recipe, taken)


def _settings(package: NamedPackage) -> list[Constraint]:
    """Variants and flags. Spack hands a propagated one on to the packages that know it, and complains of none that does not."""
    return [constraint for constraint in package.constraints if constraint.kind in ("flag", "pair") and not constraint.propagated]


def _look_up(package: NamedPackage, recipes: Recipes) -> tuple[Miss | None, Recipe | None]:
    """Return what is wrong with a package's name, and the recipe that is meant, if that is certain."""
    written = package.find("name")
    if written is None:
        return None, None
    name = COMPILERS.get(package.name, package.name) if package.sigil == "%" else package.name
    if name in recipes:
        return None, recipes.recipe(name)
    if package.sigil and name in recipes.virtuals:
        return None, None
    miss, meant = _name_miss(package, written, recipes)
    return miss, recipes.recipe(meant) if meant else None


def _is_for_parent(constraint: Constraint, recipe: Recipe, parent: Recipe) -> bool:
    """Whether a variant is none of a package, but one of its parent."""
    if constraint.key in _OF_EVERY_PACKAGE or not recipe.readable or _called(constraint, recipe):
        return False
    return len(_called(constraint, parent)) == 1


def _called(constraint: Constraint, recipe: Recipe) -> list[str]:
    """Return the variants of a recipe that a setting means: the one of its name, else those that are spelt otherwise."""
    key, switch = constraint.key, constraint.kind == "flag"
    if key in recipe.variants:
        return [key]
    fitting = [name for name, definitions in recipe.variants.items() if not switch or definitions[0]["values"] == _SWITCH]
    return [name for name in fitting if _spelling(name) == _spelling(key) or name == RENAMED_VARIANTS.get(key)]


def _misplaced(
    text: str,
    misplaced: list[Constraint],
    package: NamedPackage,
    recipe: Recipe,
    parent: NamedPackage,
    parent_recipe: Recipe,
    taken: set[str],
) -> Miss:
    """Variants of the parent that stand after %: before Spack 1.0, which takes them for the compiler's, they were the parent's even there.

    package: the compiler, without them. taken: what the parent has set already; these are added.
    """
    written = " ".join(constraint.text for constraint in misplaced)
    twice = [constraint.text for constraint in misplaced if constraint.key in taken]
    of_both = [
        constraint.text
        for constraint in _settings(package)
        if constraint.key in _OF_EVERY_PACKAGE or (constraint.key in recipe.variants and constraint.key in parent_recipe.variants)
    ]
    sentence = f"{written} stands after %{package.name}, whose recipe has no such variant; {parent_recipe.name} has it"
    if twice:
        return Miss(misplaced[0].begin, f"{sentence}, and sets {' '.join(twice)} elsewhere too. Say it once.")
    if of_both:
        return Miss(misplaced[0].begin, f"{sentence}. Write before the % what is meant for it; {' '.join(of_both)} may be, too.")
    taken |= {constraint.key for constraint in misplaced}
    end = max(constraint.end for constraint in parent.constraints)
    # Without the blank, a value would grow into the %.
    blank = "" if text[end].isspace() else " "
    moved = (Edit(end, end, f" {written}{blank}"), *(Edit(constraint.begin, constraint.end, "") for constraint in misplaced))
    return Miss(misplaced[0].begin, f"{sentence}, so it goes before the %.", moved)


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
    """Return the miss of a name that no recipe has, and the package that must be meant, if that is certain."""
    if not recipes.complete:
        return None, None
    meant, what = _meant(package, recipes)
    if meant:
        return Miss(written.begin, f"{package.name} is {what}; use {meant}.", (Edit(written.begin, written.end, meant),)), meant
    return Miss(written.begin, f"{what}.", unknown_package=True), None


def _meant(package: NamedPackage, recipes: Recipes) -> tuple[str | None, str]:
    """Return the package that a name stands for, and what the name is; or None, and why nobody but a person can know."""
    name = package.name
    if name in recipes.virtuals:
        return _provider(package, recipes)
    if name in COMPILERS:
        return None, f"{name} is what Spack calls {COMPILERS[name]} after a %; no recipe is called so"
    if RENAMED.get(name) in recipes:
        return RENAMED[name], "called otherwise in the recipes"
    choices = recipes.of_that_name(name)
    if len(choices) == 1:
        return choices[0], "not the name of a recipe"
    if choices:
        return None, f"no recipe is called {name}; it may be {' or '.join(choices)}"
    alike = recipes.alike(name)
    hint = f"names that are spelt alike: {', '.join(alike)}" if alike else "no recipe has a name like it"
    return None, f"no recipe is called {name}; {hint}"


def _provider(package: NamedPackage, recipes: Recipes) -> tuple[str | None, str]:
    """Return what Spack takes for a virtual package.

    A version of the one is a version of the other only where the virtual package has none of its own.
    """
    name, providers = package.name, recipes.virtuals[package.name]
    default = next((provider for provider in DEFAULT_PROVIDERS.get(name, ()) if provider in providers), None)
    if not default:
        return None, f"{name} is a virtual package, and no single package is certain to be meant; write one of {', '.join(providers)}"
    if package.versions and (recipes.has_versions(name) or not _allowed(recipes.recipe(default), package.versions)):
        why = f"{package.versions} is not certain to be a version of {default}, which Spack takes for it"
        return None, f"{name} is a virtual package, and {why}; write the package that is meant"
    return default, "a virtual package, which others provide"


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
    instead = _nearest(package, recipe, possible_versions(recipe.name, recipe.usable_versions, switches, recipes).versions)
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
    return allowed or list(filter(None, [_nearest(package, recipe, recipe.usable_versions)]))


def _nearest(package: NamedPackage, recipe: Recipe, versions: list[str]) -> str | None:
    """Return the version to write in the place of one that cannot be had; one for development only where there is no other."""
    steady = [version for version in versions if not _is_for_development(recipe.name, version)]
    return nearest(package.versions, steady or versions)


def _is_for_development(name: str, version: str) -> bool:
    numbers = [value for _rank, value in parse_version(version)[0] if isinstance(value, int)]
    return name in _ODD_MINORS_ARE_FOR_DEVELOPMENT and len(numbers) > 1 and numbers[1] % 2 == 1


def _allowed(recipe: Recipe, constraint: str) -> bool:
    return any(satisfies(version, constraint) for version in recipe.usable_versions)


def _is_commit(version: str) -> bool:
    return version.startswith("git.") or re.match(r"[A-Fa-f0-9]{40}\b", version) is not None


def _variant_misses(constraint: Constraint, package: NamedPackage, recipe: Recipe) -> Iterator[Miss]:
    definitions = recipe.variants.get(constraint.key)
    if definitions is None:
        if recipe.complete:
            yield _unknown_variant(constraint, package, recipe)
        return
    candidates = _candidates(package, recipe)
    possible = [definition for definition in definitions if _may_hold(definition["when"], candidates)]
    if not possible:
        conditions = " or ".join(" ".join(definition["when"]) for definition in definitions)
        versions = package.versions if _allowed(recipe, package.versions) else "".join(candidates)
        sentence = f"{recipe.name}@{versions} has no variant {constraint.key}, which is for {conditions}."
        yield Miss(constraint.begin, f"{sentence} Ask for a version that has it, or take it out.")
    elif all(definition["values"] is not None for definition in possible):
        choices = list(dict.fromkeys(value for definition in possible for value in definition["values"]))
        yield from _value_misses(constraint, recipe, choices)


def _unknown_variant(constraint: Constraint, package: NamedPackage, recipe: Recipe) -> Miss:
    key, same = constraint.key, _called(constraint, recipe)
    what = f"{recipe.name} has no variant {key}"
    if len(same) == 1 and not any(other.key == same[0] for other in package.constraints):
        begin = constraint.begin + constraint.text.index(key)
        return Miss(constraint.begin, f"{what}; use {same[0]}.", (Edit(begin, begin + len(key), same[0]),))
    alike = difflib.get_close_matches(key, recipe.variants, n=1, cutoff=0.75)
    known = f"it has {', '.join(sorted(recipe.variants))}" if recipe.variants else "it has none at all"
    return Miss(constraint.begin, f"{what}{f'; is {alike[0]} meant?' if alike else '.'} Change it, or take it out ({known}).")


def _value_misses(constraint: Constraint, recipe: Recipe, choices: list[str]) -> Iterator[Miss]:
    """choices: the values that the variant takes; those of a switch are True and False."""
    name = constraint.key
    shown = ", ".join("+" + name if choice == "True" else "~" + name if choice == "False" else choice for choice in choices)
    if constraint.kind == "flag":
        if "True" not in choices:
            yield Miss(constraint.begin, f"the variant {name} of {recipe.name} takes a value, {name}=...: {shown}.")
        return
    values = constraint.value.split(",")
    wrong = [value for value in values if value.capitalize() not in _SWITCH and value != "*" and value not in choices]
    if wrong and choices == _SWITCH:
        yield Miss(constraint.begin, f"the variant {name} of {recipe.name} is switched on or off: {shown}.")
    elif wrong:
        same = {value: [choice for choice in choices if _spelling(choice) == _spelling(value)] for value in wrong}
        edits: tuple[Edit, ...] = ()
        if all(len(found) == 1 for found in same.values()):
            begin = constraint.begin + constraint.text.rindex(constraint.value)
            edits = (Edit(begin, begin + len(constraint.value), ",".join(same[value][0] if value in same else value for value in values)),)
        yield Miss(constraint.begin, f"{name}={','.join(wrong)} is no choice of {recipe.name}; choose from {shown}.", edits)


def _spelling(name: str) -> str:
    """Return a name without what people write now so, now so."""
    return re.sub(r"[-_]", "", name.lower())


def _may_hold(conditions: list[str], candidates: list[str]) -> bool:
    """Whether one of the versions fulfils the conditions, as far as they are about versions."""
    wanted = [found for found in map(_own_versions, conditions) if found]
    return not candidates or any(all(satisfies(version, constraint) for constraint in wanted) for version in candidates)


def _own_versions(condition: str) -> str:
    """Return what a `when` says of the package's own version; "" where it says nothing, or nothing that can be read."""
    found = re.match(r"[\w-]*@([^\s+~^%]+)", condition)
    return found[1] if found else ""
