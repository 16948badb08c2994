# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A seed against the recipes that it will be built from: everything that cannot be built, and the seed with what can be mended."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from ..errors import ExplainedError, ManyProblems
from ..facts.instance_types import cuda_architectures
from ..positioned_yaml import Document, Path, read_document
from ..seed.read import find_problems
from ..seed.rules import at, instance_types_of
from ..software.spec import spec_name
from .index import Recipes
from .spec_lint import Edit, apply_edits, lint_spec, mend_spec

PACKAGES, COMPILER, SMOKE = ("software", "spack_packages"), ("software", "compiler"), ("software", "smoke")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a seed.

    line, column: where it stands, from 1; None where the file does not show it.
    value: the text that is wrong; "" where it is no text.
    instead: what would be right; None where only a person can know.
    path: the place in the seed's data.
    """

    line: int | None
    column: int | None
    sentence: str
    value: str = ""
    instead: str | None = None
    path: Path = ()
    unknown_package: bool = False

    def located(self, source: str) -> str:
        place = [str(part) for part in (self.line, self.column) if part]
        return f"{':'.join([source, *place])}: {self.sentence}"

    def to_dict(self) -> dict[str, object]:
        return {"line": self.line, "column": self.column, "value": self.value, "instead": self.instead, "message": self.sentence}


def recipes_version(text: str) -> str | None:
    """Return the version of the recipes that a seed asks for; None where it asks for none, or cannot be read."""
    try:
        written = at(read_document(text, "the seed").data, "software", "recipes_version")
    except ManyProblems:
        return None
    return str(written) if written else None


def lint_seed(text: str, schema: dict[str, Any], source: str, recipes: Recipes | None) -> list[Finding]:
    """Return everything that keeps a seed from being built, in the order of the file.

    schema: the JSON Schema of seeds.
    source: the file's name, for messages.
    recipes: None checks the seed alone.
    """
    try:
        document = read_document(text, source)
    except ManyProblems as error:
        return [_unreadable(problem) for problem in error.problems]
    values, written = _values_for_machines(document.data), _specs(document.data) if recipes else ()
    specs = [finding for path, spec in written for finding in _spec_findings(document, path, spec, recipes, values)]
    told = {finding.path for finding in specs}
    seed = [_finding(document, path, sentence) for path, sentence in find_problems(document, schema) if path not in told]
    return sorted(seed + specs, key=lambda finding: (finding.line or 0, finding.column or 0))


def _unreadable(problem: str) -> Finding:
    """A problem of the YAML reader tells its place in words."""
    place = re.match(r"line (\d+)(?:, column (\d+))?: ", problem)
    if not place:
        return Finding(None, None, problem)
    return Finding(int(place[1]), int(place[2]) if place[2] else None, problem[place.end() :])


def _specs(data: Any) -> Iterator[tuple[Path, str]]:
    packages = at(data, *PACKAGES)
    for index, spec in enumerate(packages if isinstance(packages, list) else []):
        if isinstance(spec, str):
            yield (*PACKAGES, index), spec
    compiler = at(data, *COMPILER)
    if isinstance(compiler, str):
        yield COMPILER, compiler


def _finding(document: Document, path: Path, sentence: str) -> Finding:
    place = document.places.get(path)
    return Finding(document.line(path), place.column if place else None, sentence, path=path)


def _values_for_machines(data: Any) -> dict[str, str]:
    """Return the values of variants that the seed's instance types ask for."""
    cuda = cuda_architectures(name for _path, name in instance_types_of(data))
    return {"cuda_arch": ",".join(cuda)} if cuda else {}


def _spec_findings(document: Document, path: Path, spec: str, recipes: Recipes, values: dict[str, str]) -> Iterator[Finding]:
    """One finding for each thing that is wrong with a spec; each that can be mended carries the whole mended spec."""
    misses = lint_spec(spec, recipes, values)
    instead = mend_spec(spec, recipes, values) if misses else spec
    place = document.places.get(path)
    for miss in misses:
        yield Finding(
            place.line if place else document.line(path),
            place.column + miss.begin if place else None,
            miss.sentence,
            value=spec,
            instead=instead if miss.edits else None,
            path=path,
            unknown_package=miss.unknown_package,
        )


@dataclasses.dataclass(frozen=True)
class MendedSeed:
    """A seed with everything mended that can be.

    text: the seed's text; comments and layout are as they were.
    mended: what was wrong and is no more.
    left: what is still wrong.
    commented_out: specs that were turned into comments.
    """

    text: str
    mended: list[Finding]
    left: list[Finding]
    commented_out: list[str]


def mend_seed(text: str, schema: dict[str, Any], source: str, recipes: Recipes, comment_out: bool = False) -> MendedSeed:
    """Return a seed whose specs the recipes can build.

    comment_out: turn packages that no recipe builds into comments, so that the rest can be built.
    """
    findings = lint_seed(text, schema, source, recipes)
    instead = {finding.path: finding.instead for finding in findings if finding.instead is not None}
    if not any(finding.path for finding in findings):
        return MendedSeed(text, [], findings, [])
    document = read_document(text, source)
    edits = [edit for path, spec in instead.items() for edit in _spec_edits(document, path, spec)]
    edits += _smoke_edits(document, instead)
    unbuildable = {finding.path: finding.value for finding in findings if finding.unknown_package and comment_out}
    comments = {path: edit for path in unbuildable if (edit := _comment(document, text, path))}
    # An alias is another path to the same words.
    mended = apply_edits(text, list(dict.fromkeys([*edits, *comments.values()])))
    left = lint_seed(mended, schema, source, recipes)
    return MendedSeed(
        mended,
        [finding for finding in findings if finding.path in comments or _is_mended(finding, instead, left)],
        left,
        [unbuildable[path] for path in comments],
    )


def _is_mended(finding: Finding, instead: dict[Path, str], left: list[Finding]) -> bool:
    """Whether something is wrong no more. What had no mend of its own is only when its whole spec is right now."""
    if not finding.value:
        return finding.sentence not in {other.sentence for other in left}
    same_spec = [other for other in left if other.value in (finding.value, instead.get(finding.path))]
    return not any(other.sentence == finding.sentence or finding.instead is None for other in same_spec)


def _spec_edits(document: Document, path: Path, spec: str) -> list[Edit]:
    """Write a spec in the place of the one at a path. One that is written with escapes or on several lines stays as it is."""
    place = document.places.get(path)
    return [Edit(place.begin, place.end, spec)] if place else []


def _smoke_edits(document: Document, instead: dict[Path, str]) -> list[Edit]:
    """Smoke commands are found by the package's name, which may be another one now."""
    renamed = {_name(spec): _name(instead[path]) for path, spec in _specs(document.data) if path in instead}
    places = {name: document.key_places.get((*SMOKE, name)) for name in at(document.data, *SMOKE) or ()}
    return [
        Edit(place.begin, place.end, renamed[name]) for name, place in places.items() if place and renamed.get(name, name) not in places
    ]


def _name(spec: str) -> str:
    try:
        return spec_name(spec)
    except ExplainedError:
        return spec


def _comment(document: Document, text: str, path: Path) -> Edit | None:
    """Put a # before an item of a list that has its lines to itself."""
    place = document.places.get(path)
    if not place:
        return None
    line_begin = text.rfind("\n", 0, place.begin) + 1
    item = re.match(r"(\s*)- ", text[line_begin : place.begin])
    return Edit(line_begin + len(item[1]), line_begin + len(item[1]), "# no recipe: ") if item else None
