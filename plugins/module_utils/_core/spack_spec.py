# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Spack specs: two texts that mean the same build get the same canonical text.

The grammar is that of Spack 1.x: options bind to the package before them, ``^`` opens a dependency of the whole spec, ``%`` a direct
dependency of the last package named by ``^``, or of the root. Version lists whose ranges overlap (``@1.2:,:1.2``) are kept as written.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from .errors import ExplainedError

_WORD = r"[A-Za-z0-9_][A-Za-z0-9_\-]*"
_OPTION = r"[A-Za-z0-9_][A-Za-z0-9_\-.]*"
_VERSION = r"=?[A-Za-z0-9_][A-Za-z0-9_\-.]*"
# In `@1.2: debug=true` the range is open: `debug` is an option's name, not the upper end.
_RANGE = rf"(?:(?:{_VERSION})?:(?:{_VERSION}(?!\s*=))?|{_VERSION})"
_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_SIGN = r"\+\+|~~|--|[+~\-]"

_TOKEN = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<dependency>(?P<sigil>\^|%%|%)(?:\[(?P<edge>[^\]]*)\])?\s*(?:(?P<virtuals>{_WORD}(?:,{_WORD})*)=(?={_WORD}))?)
    | (?P<git_version>@(?:git\.[A-Za-z0-9_][A-Za-z0-9_./\-]*|[A-Fa-f0-9]{{40}})(?:={_VERSION})?)
    | (?P<versions>@\s*{_RANGE}(?:\s*,\s*{_RANGE})*)
    | (?P<flag>(?P<sign>{_SIGN})\s*(?P<flag_name>{_OPTION}))
    | (?P<pair>(?P<key>{_OPTION})(?P<equals>:?==?)(?P<value>{_QUOTED}|[A-Za-z0-9_\-+*.,:=%^~/\\]+))
    | (?P<hash>/[A-Za-z0-9_]+)
    | (?P<name>{_WORD}(?:\.{_WORD})*|\*)
    """,
    re.VERBOSE | re.DOTALL,
)

# Their value is one command line: order and repetition count, outer white space does not.
_COMPILER_FLAGS = {"cflags", "cxxflags", "fflags", "cppflags", "ldflags", "ldlibs"}
_ARCHITECTURE = ("platform", "os", "target")


def canonical_spec(text: str) -> str:
    """Return the canonical text of one abstract spec.

    canonical_spec(" hdf5  ~shared+mpi@1.14 ") == "hdf5@1.14+mpi~shared"
    Raises ExplainedError for what Spack's parser refuses, for a spec without a package name, and for two packages in one entry.
    """
    root, dependencies = _parse(text)
    return " ".join([root.text(), *sorted(dependency.text() for dependency in dependencies)])


def spec_name(text: str) -> str:
    """Return the package's name without namespace: spec_name("builtin.zlib@1.3 ^cmake") == "zlib"."""
    root, _dependencies = _parse(text)
    return root.name.rpartition(".")[2]


@dataclasses.dataclass
class _Package:
    """One package of a spec with its constraints; `lead` is what ties it to its parent, such as "^" or "%c,cxx="."""

    lead: str = ""
    name: str = ""
    version: str = ""
    hash: str = ""
    flags: dict[str, str] = dataclasses.field(default_factory=dict)
    pairs: dict[str, str] = dataclasses.field(default_factory=dict)
    direct: list[_Package] = dataclasses.field(default_factory=list)

    @property
    def constrained(self) -> bool:
        return bool(self.name or self.version or self.hash or self.flags or self.pairs)

    def text(self) -> str:
        flags = "".join(sign + name for name, sign in sorted(self.flags.items()))
        pairs = "".join(f" {key}{value}" for key, value in sorted(self.pairs.items()))
        own = f"{self.lead}{self.name}{self.version}{flags}{pairs}{self.hash}"
        return " ".join([own, *sorted(dependency.text() for dependency in self.direct)]).strip()


def _parse(text: str) -> tuple[_Package, list[_Package]]:
    """Return the root package, and its dependencies that were opened with ^."""
    if not isinstance(text, str):
        raise _refusal(text, f"a spec is text, not {type(text).__name__}; write it in quotes")
    root = package = parent = _Package()
    dependencies: list[_Package] = []
    for token in _tokens(text):
        if token.lastgroup != "dependency":
            _constrain(package, token, text)
            continue
        _require_name(package, root, text)
        package = _Package(lead=_lead(token, text))
        if token["sigil"] == "^":
            dependencies.append(package)
            parent = package
        else:
            parent.direct.append(package)
    _require_name(package, root, text)
    if not root.name:
        raise _refusal(text, "it names no package")
    return root, dependencies


def _tokens(text: str) -> Iterator[re.Match[str]]:
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if not token:
            raise _refusal(text, f"{text[position:]!r} is not understood{_plus_plus_hint(text)}")
        position = token.end()
        if token.lastgroup != "space":
            yield token


def _constrain(package: _Package, token: re.Match[str], text: str) -> None:
    """Add what one token says to the package it belongs to."""
    match token.lastgroup:
        case "name":
            if package.constrained:
                raise _refusal(text, f"{token[0]!r} begins a second package; write one package an entry")
            package.name = token[0]
        case "versions" | "git_version":
            if package.version:
                raise _refusal(text, f"{package.version} and {token[0]} are two versions of one package")
            package.version = _canonical_versions(token[0]) if token.lastgroup == "versions" else token[0]
        case "hash":
            package.hash = token[0]
        case "flag":
            _set_flag(package, token["flag_name"], token["sign"].replace("-", "~"), text)
        case "pair":
            _set_pair(package, token["key"], token["equals"], token["value"], text)


def _set_flag(package: _Package, name: str, sign: str, text: str) -> None:
    if name in package.flags or name in package.pairs:
        raise _refusal(text, f"{name!r} is set twice")
    package.flags[name] = sign


def _set_pair(package: _Package, key: str, equals: str, value: str, text: str) -> None:
    if value[0] in "'\"":
        value = value[1:-1]
    if key in ("arch", "architecture"):
        _set_architecture(package, value, text)
    elif key not in _COMPILER_FLAGS and value.lower() in ("true", "false"):
        sign = "+" if value.lower() == "true" else "~"
        _set_flag(package, key, sign * 2 if equals.endswith("==") else sign, text)
    else:
        key = "os" if key == "operating_system" else key
        if key in package.pairs or key in package.flags:
            raise _refusal(text, f"{key!r} is set twice")
        canonical = f"'{' '.join(value.split())}'" if key in _COMPILER_FLAGS else ",".join(sorted(set(value.split(","))))
        package.pairs[key] = equals + canonical


def _set_architecture(package: _Package, value: str, text: str) -> None:
    parts = value.split("-")
    if len(parts) != len(_ARCHITECTURE):
        raise _refusal(text, f"arch={value} must be three parts, platform-os-target")
    for key, part in zip(_ARCHITECTURE, parts, strict=True):
        if part != "None":
            _set_pair(package, key, "=", part, text)


def _lead(token: re.Match[str], text: str) -> str:
    """Return how a dependency is tied to its parent, in canonical form."""
    virtuals = set(filter(None, (token["virtuals"] or "").split(",")))
    attributes = {}
    for attribute in (token["edge"] or "").split():
        key, equals, value = attribute.partition("=")
        if not equals:
            raise _refusal(text, f"edge attribute {attribute!r} has no value")
        values = set(value.strip("'\"").split(","))
        if key == "virtuals":
            virtuals |= values
        else:
            attributes[key] = values
    edge = " ".join(f"{key}={','.join(sorted(values))}" for key, values in sorted(attributes.items()))
    return token["sigil"] + (f"[{edge}] " if edge else "") + (f"{','.join(sorted(virtuals))}=" if virtuals else "")


def _require_name(package: _Package, root: _Package, text: str) -> None:
    if package is not root and not package.constrained:
        raise _refusal(text, f"a dependency is missing after {package.lead!r}")


def _canonical_versions(token: str) -> str:
    ranges = {re.sub(r"\s+", "", part) for part in token[1:].split(",")}
    return "@" + ",".join(sorted(ranges, key=_by_number))


def _by_number(version: str) -> list[tuple[int, int, str]]:
    """Sort key that puts 1.9 before 1.10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|\D+", version)]


def _plus_plus_hint(text: str) -> str:
    """Recipes write ++ of a program's name as pp; bonnie++ is the one that people stumble over."""
    found = re.match(r"\s*([\w-]+)\+\+(?=\W|$)", text)
    return f"; if ++ is part of the package's name, write {found[1]}pp" if found else ""


def _refusal(text: object, reason: str) -> ExplainedError:
    return ExplainedError(f"{str(text)!r} is no Spack spec: {reason}.", resource=str(text))
