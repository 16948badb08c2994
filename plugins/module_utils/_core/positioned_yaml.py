# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""YAML, read so that every value still knows its line."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from .errors import ManyProblems

try:
    import yaml

    # The C reader takes 1 MiB in a second, the Python one in half a minute.
    _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
except ImportError:
    yaml = None

MAX_BYTES = 1024 * 1024
# Aliases can make a small file describe billions of values; no seed has a hundredth of this.
MAX_VALUES = 100_000
# The C reader overflows its stack on thousands of opening brackets, or refuses them in words of its own: that depends on its release.
MAX_DEPTH = 50
# YAML 1.1, 5.1: the readers refuse these with different words, and the C one counts bytes.
NO_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Path = tuple[Any, ...]  # keys and indexes


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a text stands in a YAML file: line and column (from 1) of its first character, and text[begin:end] without quotes."""

    line: int
    column: int
    begin: int
    end: int


@dataclasses.dataclass(frozen=True)
class Document:
    """What a YAML text says, and where.

    data: plain values.
    lines: for each path into data the line (from 1) on which its key, or its item, stands.
    places: where each text stands that is written on one line as it is read, without escapes.
    key_places: the same of the keys of mappings.
    """

    data: Any
    lines: dict[Path, int]
    places: dict[Path, Place] = dataclasses.field(default_factory=dict)
    key_places: dict[Path, Place] = dataclasses.field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """Return the line of a path, or of the nearest part of it that is in the text (None: nowhere)."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read_document(text: str, source: str) -> Document:
    """Read one YAML document.

    source: the name of the file, for messages.
    Raises ManyProblems, with line and column, for what is no YAML, too large, or ambiguous (a key given twice).
    """
    if len(text.encode("utf-8", "surrogateescape")) > MAX_BYTES:
        raise _refusal(source, f"it is larger than {MAX_BYTES // 1024} KiB")
    if found := NO_TEXT.search(text):
        line, column = text.count("\n", 0, found.start()) + 1, found.start() - text.rfind("\n", 0, found.start())
        raise _refusal(source, f"line {line}, column {column}: the character U+{ord(found[0]):04X} is none that YAML may hold")
    loader = None
    try:
        if _is_too_deep(text):
            raise _refusal(source, f"it is nested more than {MAX_DEPTH} levels deep")
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            raise _refusal(source, "it is empty")
        problems = [] if _count(root) <= MAX_VALUES else [f"its aliases describe more than {MAX_VALUES} values"]
        problems = problems or list(_ambiguous_keys(root, ()))
        if problems:
            raise _refusal(source, *problems)
        data = loader.construct_document(root)
        values = list(_values(root, ()))
        return Document(
            data,
            {path: mark.start_mark.line + 1 for path, mark, _value in values},
            {path: place for path, _key, value in values if (place := _place(value, text))},
            {path: place for path, key, value in values if key is not value and (place := _place(key, text))},
        )
    except yaml.YAMLError as error:
        raise _refusal(source, _syntax_problem(error, text)) from error
    finally:
        if loader:
            loader.dispose()


def show_path(path: Path) -> str:
    """Write a path as people do: ("queues", 1, "name") becomes queues[1].name."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _refusal(source: str, *problems: str) -> ManyProblems:
    return ManyProblems(f"{source} cannot be read:", list(problems), resource=source)


def _syntax_problem(error: yaml.YAMLError, text: str) -> str:
    """Say where the YAML is wrong, and show that line."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return str(error)
    lines = text.splitlines()
    shown = lines[mark.line].strip() if mark.line < len(lines) else ""
    what = f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return f"{what}, at {shown!r}. Compare the line's indentation with its neighbours." if shown else what


def _is_too_deep(text: str, look_again: bool = True) -> bool:
    """Tell whether a YAML text is nested deeper than MAX_DEPTH, as far as it can be read."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                return True
    except yaml.YAMLError as error:
        # A reader looks ahead: newer ones stop at a thousand brackets before they have told of one. What lies before is told then.
        mark = getattr(error, "problem_mark", None)
        return look_again and mark is not None and _is_too_deep(text[: mark.index], look_again=False)
    return False


def _count(root: yaml.Node) -> int:
    """Count the values that a document describes, aliases written out; stops soon after MAX_VALUES."""
    seen, waiting = 0, [root]
    while waiting and seen <= MAX_VALUES:
        node = waiting.pop()
        seen += 1
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
    return seen


def _children(node: yaml.Node, path: Path) -> Iterator[tuple[Path, yaml.Node, yaml.Node]]:
    """Yield (path, node that marks the place, value) for the values directly in a mapping or sequence."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, str(key.value)), key, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value, value


def _ambiguous_keys(node: yaml.Node, path: Path) -> Iterator[str]:
    """Yield a problem for each key that is given twice, or that is no text."""
    first_line: dict[Path, int] = {}
    for child, mark, value in _children(node, path):
        line = mark.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            if child in first_line:
                yield f"line {line}: {show_path(child)} is given twice, first on line {first_line[child]}"
            elif mark.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
                yield f"line {line}: the key {show_path(child)} is not text; write it in quotes"
            first_line.setdefault(child, line)
        yield from _ambiguous_keys(value, child)


def _values(node: yaml.Node, path: Path) -> Iterator[tuple[Path, yaml.Node, yaml.Node]]:
    """Yield (path, node that marks the place, value) for all values."""
    for child, mark, value in _children(node, path):
        yield child, mark, value
        yield from _values(value, child)


def _place(node: yaml.Node, text: str) -> Place | None:
    """Return where a text stands; None for what is no text, or not written as it is read."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    # A node begins with its anchor or tag.
    extras = re.match(r"(?:[&!]\S*[ \t]+)*", text[node.start_mark.index : node.end_mark.index])[0]
    quote = 1 if node.style in ("'", '"') else 0
    before = len(extras) + quote
    begin, end = node.start_mark.index + before, node.end_mark.index - quote
    if text[begin:end] != node.value:
        return None
    return Place(node.start_mark.line + 1, node.start_mark.column + 1 + before, begin, end)
