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

from ..errors import ExplainedError

_WORD = r"[A-Za-z0-9_][A-Za-z0-9_\-]*"
_OPTION = r"[A-Za-z0-9_][A-Za-z0-9_\-.]*"
_VERSION = r"=?[A-Za-z0-9_][A-Za-z0-9_\-.]*\b"
# In `@1.2:debug=true` the range is open: `debug` is an option's name, not the upper end.
_RANGE = rf"(?:(?:{_VERSION})?:(?:{_VERSION}(?!\s*=))?|{_VERSION})"
_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_UNQUOTED = r"[A-Za-z0-9_\-+*.,:=%^~/\\]+"
_SIGN = r"\+\+|~~|--|[+~\-]"

_TOKEN = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<dependency>(?P<sigil>\^|%%|%)(?:\[(?P<edge>[^\]]*)\])?\s*(?:(?P<virtuals>{_WORD}(?:,{_WORD})*)=(?={_WORD}))?)
    | (?P<git_version>@(?:git\.[A-Za-z0-9_][A-Za-z0-9_./\-]*|[A-Fa-f0-9]{{40}})(?:={_VERSION})?)
    | (?P<versions>@\s*{_RANGE}(?:\s*,\s*{_RANGE})*)
    | (?P<flag>(?P<sign>{_SIGN})\s*(?P<flag_name>{_OPTION}))
    | (?P<pair>(?P<key>{_OPTION})(?P<equals>:?==?)(?P<value>{_QUOTED}|{_UNQUOTED}))
    | (?P<hash>/[A-Za-z0-9_]+)
    | (?P<name>{_WORD}(?:\.{_WORD})*|\*)
    """,
    re.VERBOSE | re.DOTALL,
)

_EDGE_ATTRIBUTE = re.compile(rf"\s*(?P<key>[A-Za-z_]+)=(?P<value>{_QUOTED}|[^\s\]]+)\s*")

# Their value is one command line: order and repetition count, the amount of white space does not.
_COMPILER_FLAGS = {"cflags", "cxxflags", "fflags", "cppflags", "ldflags", "ldlibs"}
_ARCHITECTURE = ("platform", "os", "target")


def canonical_spec(text: str) -> str:
    """Return the canonical text of one abstract spec.

    canonical_spec(" hdf5  ~shared+mpi@1.14 ") == "hdf5@1.14+mpi~shared"
    Raises ExplainedError for what Spack's parser refuses, for a spec without a package name, and for two packages in one entry.
    """
    root, dependencies = _parse(text)
    return " ".join([root.text(), *_dependency_texts(dependencies)])


def spec_name(text: str) -> str:
    """Return the package's name without namespace: spec_name("builtin.zlib@1.3 ^cmake") == "zlib"."""
    root, _dependencies = _parse(text)
    return root.name.rpartition(".")[2]


@dataclasses.dataclass(frozen=True)
class Constraint:
    """One constraint on a package, and where it stands in the spec.

    kind: "name", "versions" (also of a branch or commit), "flag" or "pair".
    key, value: of a flag its name and sign, of a pair both sides; of the others "" and the text without @.
    begin, end, text: the part of the spec's text that says it.
    propagated: whether it is meant for all dependencies too, ++x or x==y.
    """

    kind: str
    key: str
    value: str
    begin: int
    end: int
    text: str
    propagated: bool = False


@dataclasses.dataclass(frozen=True)
class NamedPackage:
    """One package that a spec names; sigil: "" for the package itself, ^ or % for what it depends on."""

    name: str
    sigil: str
    constraints: tuple[Constraint, ...]

    def find(self, kind: str) -> Constraint | None:
        """Return the only constraint of this kind, such as the version."""
        return next((constraint for constraint in self.constraints if constraint.kind == kind), None)

    @property
    def versions(self) -> str:
        """The versions that are allowed, as written after the @; "" for any."""
        found = self.find("versions")
        return found.value if found else ""


def named_packages(text: str) -> list[NamedPackage]:
    """Return the packages of a spec, the one that it is about first; names are without namespace.

    Raises ExplainedError as `canonical_spec` does.
    """
    root, dependencies = _parse(text)
    packages = [root, *root.direct, *(package for parent in dependencies for package in (parent, *parent.direct))]
    return [
        NamedPackage(package.name.rpartition(".")[2], package.sigil[:1], tuple(map(_constraint, package.tokens))) for package in packages
    ]


def _constraint(token: re.Match[str]) -> Constraint:
    place = token.start(), token.end(), token[0]
    match token.lastgroup:
        case "flag":
            return Constraint("flag", token["flag_name"], token["sign"][0].replace("-", "~"), *place, propagated=len(token["sign"]) == 2)
        case "pair":
            written = token["value"]
            value = written[1:-1] if written[0] in "'\"" else written
            return Constraint("pair", token["key"], value, *place, propagated=token["equals"].endswith("=="))
        case "versions" | "git_version":
            return Constraint("versions", "", token[0].lstrip("@").strip(), *place)
        case kind:
            return Constraint(str(kind), "", token[0], *place)


@dataclasses.dataclass
class _Package:
    """One package of a spec with its constraints.

    sigil, edge, virtuals: what ties it to its parent: "^", "%" or "%%", attributes such as deptypes, and the virtual packages it provides.
    direct: the dependencies that % opened under it.
    tokens: where its constraints stand in the text.
    """

    sigil: str = ""
    edge: str = ""
    virtuals: frozenset[str] = frozenset()
    name: str = ""
    version: str = ""
    hash: str = ""
    flags: dict[str, str] = dataclasses.field(default_factory=dict)
    pairs: dict[str, str] = dataclasses.field(default_factory=dict)
    direct: list[_Package] = dataclasses.field(default_factory=list)
    tokens: list[re.Match[str]] = dataclasses.field(default_factory=list)

    @property
    def constrained(self) -> bool:
        return bool(self.name or self.version or self.hash or self.flags or self.pairs)

    def text(self) -> str:
        """Return the package with its constraints and direct dependencies, without what ties it to its parent."""
        flags = "".join(sign + name for name, sign in sorted(self.flags.items()))
        pairs = "".join(f" {key}{value}" for key, value in sorted(self.pairs.items()))
        # Without the blank, a hash would become part of the last pair's value.
        own = f"{self.name}{self.version}{flags}{pairs}{' ' if pairs and self.hash else ''}{self.hash}"
        return " ".join([own, *_dependency_texts(self.direct)]).strip()


def _dependency_texts(dependencies: list[_Package]) -> list[str]:
    """Return the dependencies of one package, sorted; those that differ only in the virtuals they provide are one."""
    virtuals: dict[tuple[str, str], set[str]] = {}
    for dependency in dependencies:
        virtuals.setdefault((dependency.sigil + dependency.edge, dependency.text()), set()).update(dependency.virtuals)
    return sorted(f"{tie}{','.join(sorted(names))}{'=' if names else ''}{text}" for (tie, text), names in virtuals.items())


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
        package = _open_dependency(token, text)
        if package.sigil == "^":
            dependencies.append(package)
            parent = package
        else:
            parent.direct.append(package)
    _require_name(package, root, text)
    if not root.name:
        raise _refusal(text, "it names no package")
    for siblings in (dependencies, *(parent.direct for parent in (root, *dependencies))):
        _require_one_of_each(siblings, text)
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
    package.tokens.append(token)
    match token.lastgroup:
        case "name":
            if package.constrained:
                raise _refusal(text, f"{token[0]!r} begins a second package; write one package an entry")
            package.name = token[0]
        case "versions" | "git_version":
            if package.version:
                raise _refusal(text, f"{package.version} and {token[0]} are two versions of one package")
            package.version = _canonical_versions(token[0], text) if token.lastgroup == "versions" else token[0]
        case "hash":
            if package.hash:
                raise _refusal(text, f"{package.hash} and {token[0]} are two hashes of one package")
            package.hash = token[0]
        case "flag":
            _set_flag(package, token["flag_name"], token["sign"].replace("-", "~"), text)
        case "pair":
            _set_pair(package, token["key"], token["equals"], token["value"], text)


def _set_flag(package: _Package, name: str, sign: str, text: str) -> None:
    if name in package.flags or name in package.pairs:
        raise _refusal(text, f"{name!r} is set twice")
    package.flags[name] = sign


def _set_pair(package: _Package, key: str, equals: str, written: str, text: str) -> None:
    value = written[1:-1] if written[0] in "'\"" else written
    if key in ("arch", "architecture"):
        _set_architecture(package, value, text)
    elif key not in _COMPILER_FLAGS and value.lower() in ("true", "false"):
        sign = "+" if value.lower() == "true" else "~"
        _set_flag(package, key, sign * 2 if equals.endswith("==") else sign, text)
    else:
        key = "os" if key == "operating_system" else key
        if key in package.pairs or key in package.flags:
            raise _refusal(text, f"{key!r} is set twice")
        package.pairs[key] = equals + _canonical_value(key, value, written)


def _canonical_value(key: str, value: str, written: str) -> str:
    if key in _COMPILER_FLAGS:
        value = " ".join(value.split())
    elif key not in _ARCHITECTURE:
        value = ",".join(sorted(set(value.split(","))))
    if key not in _COMPILER_FLAGS and re.fullmatch(_UNQUOTED, value):
        return value
    # Nobody writes both quotes in one value; if so, it stays as it is.
    return next((f"{quote}{value}{quote}" for quote in "'\"" if quote not in value), written)


def _set_architecture(package: _Package, value: str, text: str) -> None:
    parts = value.split("-")
    if len(parts) != len(_ARCHITECTURE):
        raise _refusal(text, f"arch={value} must be three parts, platform-os-target")
    for key, part in zip(_ARCHITECTURE, parts, strict=True):
        if part != "None":
            _set_pair(package, key, "=", part, text)


def _open_dependency(token: re.Match[str], text: str) -> _Package:
    """Return a package without constraints, tied to its parent as the token says."""
    virtuals = set(filter(None, (token["virtuals"] or "").split(",")))
    attributes = {}
    written, position = token["edge"] or "", 0
    while position < len(written):
        attribute = _EDGE_ATTRIBUTE.match(written, position)
        if not attribute:
            raise _refusal(text, f"{written[position:].strip()!r} is no edge attribute; write key=value")
        value = " ".join(attribute["value"].strip("'\"").split())
        if attribute["key"] == "virtuals":
            virtuals |= set(value.split(","))
        elif attribute["key"] == "deptypes":
            attributes["deptypes"] = ",".join(sorted(set(value.split(","))))
        else:
            attributes[attribute["key"]] = f"'{value}'"
        position = attribute.end()
    edge = f"[{' '.join(f'{key}={value}' for key, value in sorted(attributes.items()))}] " if attributes else ""
    return _Package(sigil=token["sigil"], edge=edge, virtuals=frozenset(virtuals))


def _require_name(package: _Package, root: _Package, text: str) -> None:
    if package is not root and not package.constrained:
        raise _refusal(text, f"a dependency is missing after {package.sigil!r}")


def _require_one_of_each(siblings: list[_Package], text: str) -> None:
    """Spack would merge two constraints on one dependency; which one an option belongs to would then depend on their order."""
    texts: dict[tuple[str, str, str], str] = {}
    for dependency in siblings:
        if texts.setdefault((dependency.sigil, dependency.edge, dependency.name), dependency.text()) != dependency.text():
            raise _refusal(text, f"{dependency.sigil}{dependency.name} is given twice; write its constraints together")


def _canonical_versions(token: str, text: str) -> str:
    """Return a version list with each part once, sorted; "" for the list that allows every version."""
    parts = set()
    for part in re.sub(r"\s+", "", token[1:]).split(","):
        low, colon, high = part.partition(":")
        if colon and ("=" in part or part[-1] in ".-"):
            raise _refusal(text, f"{part!r} is no range of versions")
        parts.add(low if low and low == high else part)
    return "" if parts == {":"} else "@" + ",".join(sorted(parts, key=_by_number))


def _by_number(version: str) -> list[tuple[int, int, str]]:
    """Sort key that puts 1.9 before 1.10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|\D+", version)]


def _plus_plus_hint(text: str) -> str:
    """Recipes write ++ of a program's name as pp; bonnie++ is the one that people stumble over."""
    found = re.match(r"\s*([\w-]+)\+\+(?=\W|$)", text)
    return f"; if ++ is part of the package's name, write {found[1]}pp" if found else ""


def _refusal(text: object, reason: str) -> ExplainedError:
    return ExplainedError(f"{str(text)!r} is no Spack spec: {reason}.", resource=str(text))
