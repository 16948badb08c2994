# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a Spack recipe declares, read from its text without running it.

A class body is walked as Python would run it, as far as its values can be known: constants, loops over literals, `with when(...)`. What
depends on the machine, or on code that is not in the recipe, is unknown, and nothing is claimed about it.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import re
from collections.abc import Iterable
from typing import Any

from ..errors import ExplainedError
from ..software.spec import NamedPackage, named_packages

# Name and versions of a package that is needed; the package's own versions and variants for which it is; whether it is the same package
# for everything that needs it: tools that are only used to build may be there in several versions.
Need = tuple[str, str, list[str], dict[str, str], bool]
# What may not hold together: own versions, values of own variants ("+" or "~" of a switch), and what the recipe says about it.
Conflict = tuple[list[str], dict[str, str], str]
_DEFAULT_TYPES = ("build", "link")

# More turns than any recipe's loop has; a recipe must not keep us busy for ever.
_MAX_TURNS = 5_000
_UNKNOWN: Any = object()
_SETS_OF_VALUES = {"any_combination_of", "auto_or_any_combination_of", "disjoint_sets", "conditional"}
_MORE_VALUES = {"with_default", "with_non_feature_values"}
_SAME_VALUES = {"with_error", "allow_empty_set", "prohibit_empty_set"}
_SELF = "self"
_TEXT_METHODS = {"format", "join", "replace", "split", "startswith", "endswith", "strip", "lower", "upper", "rsplit", "partition"}
_MAPPING_METHODS = {"items", "keys", "values", "get"}


def read_recipe(text: str) -> dict[str, Any]:
    """Return what the classes of one Python file of a recipe repository declare.

    text: the file, a package.py or one of the shared build systems.
    Returns {"classes": {name: declarations}, "imports": {name: "module.Name"}}, of JSON values. The declarations:
    bases       the names of its base classes, as written
    versions    version: whether it is deprecated
    computed    whether there are versions beyond those, which only Python could tell
    variants    name: [{"values": [...] or None for any, "when": [spec, ...]}], in the order of the file; "sticky": the value that it has
                wherever nobody sets it, which Spack otherwise changes as it needs
    provides    names of virtual packages
    needs       [[name, versions, [own versions, ...], {variant: "+" or "~"}, shared], ...]: the packages that it needs for certain if
                its own version fulfils all of these constraints, and its variants are set so; see Need
    conflicts   [[[own versions, ...], {variant: value}, message], ...]: what the recipe refuses for certain; see Conflict
    licenses    SPDX expressions
    sources     URLs of the project and its sources
    virtual     whether the package is only a name that others provide
    Raises SyntaxError for what is no Python.
    """
    module = ast.parse(text)
    scope: dict[str, Any] = {}
    recipe: dict[str, Any] = {"classes": {}, "imports": {}}
    for statement in module.body:
        if isinstance(statement, ast.ImportFrom):
            origin = "." * statement.level + (statement.module or "")
            recipe["imports"].update({alias.asname or alias.name: f"{origin}.{alias.name}" for alias in statement.names})
        elif isinstance(statement, ast.ClassDef):
            reader = _ClassReader(scope)
            reader.run(statement.body)
            bases = [base for base in map(_dotted, statement.bases) if base]
            recipe["classes"][statement.name] = {"bases": bases, **reader.declared()}
        else:
            _ClassReader(scope, keep_scope=True).run([statement])
    return recipe


class _ClassReader:
    """Walks a class body, or a module's constants, and collects the directives."""

    def __init__(self, scope: dict[str, Any], keep_scope: bool = False) -> None:
        self.scope = scope if keep_scope else dict(scope)
        self.whens: list[str] = []
        self.defaults: dict[str, Any] = {}
        self.certain = True
        self.versions: dict[str, bool] = {}
        self.computed = False
        self.variants: dict[str, list[dict[str, Any]]] = {}
        self.provides: list[str] = []
        self.needs: list[Need] = []
        self.conflicts: list[Conflict] = []
        self.licenses: list[str] = []

    def declared(self) -> dict[str, Any]:
        """Return the declarations that are not empty."""
        sources = [
            self.scope[name] for name in ("homepage", "git", "url", "pypi", "gnu_mirror_path") if isinstance(self.scope.get(name), str)
        ]
        found = {
            "versions": self.versions,
            "computed": self.computed,
            "variants": self.variants,
            "provides": self.provides,
            "needs": self.needs,
            "conflicts": self.conflicts,
            "licenses": self.licenses,
            "sources": sources,
            "virtual": self.scope.get("virtual") is True,
        }
        return {name: value for name, value in found.items() if value}

    def run(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            match statement:
                case ast.Assign():
                    value = self.value(statement.value)
                    for target in statement.targets:
                        self.bind(target, value)
                case ast.AnnAssign(value=ast.expr()):
                    self.bind(statement.target, self.value(statement.value))
                case ast.Expr(value=ast.Call()):
                    self.directive(statement.value)
                case ast.For():
                    self.loop(statement)
                case ast.If():
                    self.branch(statement)
                case ast.With():
                    self.context(statement)

    def loop(self, statement: ast.For) -> None:
        values = self.value(statement.iter)
        for value in list(values)[:_MAX_TURNS] if isinstance(values, (list, tuple, dict)) else [_UNKNOWN]:
            self.bind(statement.target, value)
            self.run(statement.body)

    def branch(self, statement: ast.If) -> None:
        """Of a condition that depends on the machine, both branches may hold, and what they ask for or refuse is not certain."""
        holds, certain = self.value(statement.test), self.certain
        self.certain = certain and holds is not _UNKNOWN
        if holds is _UNKNOWN or holds:
            self.run(statement.body)
        if holds is _UNKNOWN or not holds:
            self.run(statement.orelse)
        self.certain = certain

    def context(self, statement: ast.With) -> None:
        whens, defaults = self.whens, self.defaults
        for item in statement.items:
            match item.context_expr:
                case ast.Call(func=ast.Name(id="when"), args=[condition, *_]):
                    self.whens = [*self.whens, self.condition(condition)]
                case ast.Call(func=ast.Name(id="default_args"), keywords=keywords):
                    given = self.keywords(keywords)
                    if "when" in given:
                        given["when"] = next(keyword.value for keyword in keywords if keyword.arg == "when")
                    self.defaults = {**self.defaults, **given}
        self.run(statement.body)
        self.whens, self.defaults = whens, defaults

    def bind(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.scope[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            values = list(value) if isinstance(value, (list, tuple)) and len(value) == len(target.elts) else [_UNKNOWN] * len(target.elts)
            for part, item in zip(target.elts, values, strict=True):
                self.bind(part, item)

    def keywords(self, keywords: list[ast.keyword]) -> dict[str, Any]:
        return {keyword.arg: self.value(keyword.value) for keyword in keywords if keyword.arg}

    def condition(self, node: ast.expr | None) -> str:
        """Return a `when` as a spec; "?" for one that cannot be known, "" for one that always holds."""
        value = self.value(node) if isinstance(node, ast.expr) else ""
        if value is True or value is None:
            return ""
        return value if isinstance(value, str) else "?"

    def conditions(self, call: ast.Call, position: int | None = None) -> list[str]:
        """Return all that has to hold for a directive; position: of its own `when` among its arguments, where it is not named."""
        own = next((keyword.value for keyword in call.keywords if keyword.arg == "when"), self.defaults.get("when"))
        if position is not None and len(call.args) > position:
            own = call.args[position]
        return [when for when in (*self.whens, self.condition(own)) if when]

    def directive(self, call: ast.Call) -> None:
        if not isinstance(call.func, ast.Name):
            return
        arguments = [self.value(argument) for argument in call.args]
        first = arguments[0] if arguments else _UNKNOWN
        options = {**self.defaults, **self.keywords(call.keywords)}
        match call.func.id:
            case "version" if isinstance(first, str):
                self.versions[first] = options.get("deprecated") is True
            case "version":
                self.computed = True
            case "variant" if isinstance(first, str):
                values = self.values_of_variant(call, options)
                definition = {"values": values, "when": self.conditions(call), **self.sticky(call, options)}
                self.variants.setdefault(first, []).append(definition)
            case "build_system":
                names = [value for argument in call.args for value in self.choices(argument) or [_UNKNOWN]]
                known = names if _UNKNOWN not in names else None
                self.variants.setdefault("build_system", []).append({"values": known, "when": self.whens})
            case "provides":
                self.provides += [name for name in arguments if isinstance(name, str)]
            case "depends_on" | "extends" if isinstance(first, str) and self.certain:
                self.needs += _need(first, tuple(self.conditions(call, 1)), _types(call.func.id, options.get("type", _DEFAULT_TYPES)))
            case "conflicts" if isinstance(first, str) and self.certain:
                message = arguments[2] if len(arguments) > 2 else options.get("msg")
                self.conflicts += _conflict((first, *self.conditions(call, 1)), message if isinstance(message, str) else "")
            case "license" if isinstance(first, str):
                self.licenses.append(first)

    def sticky(self, call: ast.Call, options: dict[str, Any]) -> dict[str, str]:
        """Return {"sticky": value} of a variant that keeps its default, as far as that is known."""
        if options.get("sticky") is not True:
            return {}
        default = self.value(call.args[1]) if len(call.args) > 1 else options.get("default")
        written = next((keyword.value for keyword in call.keywords if keyword.arg == "values"), None)
        match default, written:
            case bool(), _:
                return {"sticky": "+" if default else "~"}
            case str(), _:
                return {"sticky": default}
            case None, ast.Call(func=ast.Name(id="any_combination_of")):
                return {"sticky": "none"}
        return {}

    def values_of_variant(self, call: ast.Call, options: dict[str, Any]) -> list[str] | None:
        """Return the values that a variant may take, "True" and "False" of a switch; None for any or unknown ones."""
        written = next((keyword.value for keyword in call.keywords if keyword.arg == "values"), None)
        if written is None and len(call.args) > 3:
            written = call.args[3]
        if written is None:
            default = self.value(call.args[1]) if len(call.args) > 1 else options.get("default")
            return ["True", "False"] if isinstance(default, bool) or default is None else None
        return self.choices(written)

    def choices(self, node: ast.expr) -> list[str] | None:
        """Return the texts that an expression for values lists, also within calls such as any_combination_of; None for any."""
        match node:
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                found = [self.choices(part) for part in parts]
            case ast.Call(func=ast.Name(id=name), args=parts) if name in _SETS_OF_VALUES:
                found = [self.choices(part) for part in parts]
                if name != "conditional":
                    found.append(["none", "auto"])
            # disjoint_sets(...).with_default("auto") and its like
            case ast.Call(func=ast.Attribute(value=inner, attr=attribute), args=parts) if attribute in _MORE_VALUES:
                found = [self.choices(inner), *(self.choices(part) for part in parts)]
            case ast.Call(func=ast.Attribute(value=inner, attr=attribute)) if attribute in _SAME_VALUES:
                found = [self.choices(inner)]
            case ast.Starred(value=inner):
                found = [self.choices(inner)]
            case _:
                value = self.value(node)
                if isinstance(value, (str, int)):
                    return [str(value)]
                if not isinstance(value, (list, tuple)) or _UNKNOWN in value:
                    return None
                return [str(part) for part in value]
        return None if None in found else [value for values in found for value in values or []]

    def value(self, node: ast.expr | None) -> Any:
        """Return what an expression is worth, or _UNKNOWN."""
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                return self.scope.get(node.id, _UNKNOWN)
            case ast.Tuple() | ast.List() | ast.Set():
                return self.sequence(node.elts)
            case ast.Dict():
                pairs = [(self.value(key), self.value(item)) for key, item in zip(node.keys, node.values, strict=True) if key]
                return _attempt(lambda: dict(pairs))
            case ast.JoinedStr():
                parts = [self.value(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
                return _UNKNOWN if _UNKNOWN in parts else "".join(map(str, parts))
            case ast.Subscript():
                return _attempt(lambda: self.value(node.value)[self.value(node.slice)])
            case ast.BinOp(op=ast.Add()):
                return _known(self.value(node.left), self.value(node.right), lambda left, right: left + right)
            case ast.BinOp(op=ast.Mod()):
                return _known(self.value(node.left), self.value(node.right), lambda left, right: left % right)
            case ast.UnaryOp(op=ast.Not()):
                return _known(self.value(node.operand), True, lambda left, _right: not left)
            case ast.Compare(ops=[operator], comparators=[other]):
                return self.compare(self.value(node.left), operator, self.value(other))
            case ast.Call():
                return self.call(node)
        return _UNKNOWN

    def sequence(self, parts: list[ast.expr]) -> list[Any]:
        values: list[Any] = []
        for part in parts:
            inner = self.value(part.value) if isinstance(part, ast.Starred) else [self.value(part)]
            values += inner if isinstance(inner, (list, tuple)) else [_UNKNOWN]
        return values

    def compare(self, left: Any, operator: ast.cmpop, right: Any) -> Any:
        match operator:
            case ast.Eq():
                return _known(left, right, lambda one, other: one == other)
            case ast.NotEq():
                return _known(left, right, lambda one, other: one != other)
            case ast.In():
                return _known(left, right, lambda one, other: one in other)
            case ast.NotIn():
                return _known(left, right, lambda one, other: one not in other)
        return _UNKNOWN

    def call(self, node: ast.Call) -> Any:
        """Return the result of the few calls that recipes make to spell out versions."""
        arguments = [self.value(argument) for argument in node.args]
        if _UNKNOWN in arguments:
            return _UNKNOWN
        match node.func:
            case ast.Name(id="Version" | "str") if len(arguments) == 1:
                return str(arguments[0])
            case ast.Name(id="list" | "tuple" | "sorted") if len(arguments) == 1:
                return _attempt(lambda: list(arguments[0]))
            case ast.Name(id="range"):
                return _attempt(lambda: list(range(*arguments))[:_MAX_TURNS])
            case ast.Attribute(value=owner, attr=method):
                thing = self.value(owner)
                if (isinstance(thing, str) and method in _TEXT_METHODS) or (isinstance(thing, dict) and method in _MAPPING_METHODS):
                    return _attempt(lambda: _plain(getattr(thing, method)(*arguments, **self.keywords(node.keywords))))
        return _UNKNOWN


@functools.lru_cache(maxsize=100_000)
def _need(written: str, conditions: tuple[str, ...], types: frozenset[str]) -> list[Need]:
    """Return the need that a dependency is; none where nothing is certain: a condition that version and variants do not decide, a test."""
    if not types - {"test"}:
        return []
    own = own_settings(conditions)
    if own is None or not set(own[1].values()) <= {"+", "~"}:
        return []
    versions, switches = own
    shared = bool(types & {"link", "run"})
    return [(needed.name, needed.versions, versions, switches, shared) for needed in _packages(written)[:1]]


@functools.lru_cache(maxsize=100_000)
def _conflict(conditions: tuple[str, ...], message: str) -> list[Conflict]:
    """Return the conflict that holds where all of the conditions do; none where version and variants alone do not decide it."""
    own = own_settings(conditions)
    return [(*own, message)] if own else []


def own_settings(conditions: Iterable[str]) -> tuple[list[str], dict[str, str]] | None:
    """Return the versions and the values of variants by which a package fulfils conditions; None where they ask for more than these."""
    conditions = list(conditions)
    own = [package for condition in conditions for package in _packages(_named(condition))]
    constraints = [constraint for package in own for constraint in package.constraints]
    undecided = {constraint.kind for constraint in constraints} - {"name", "versions", "flag", "pair"}
    if undecided or len(own) != len(conditions) or any(package.name != _SELF for package in own):
        return None
    versions = [constraint.value for constraint in constraints if constraint.kind == "versions"]
    return versions, {constraint.key: constraint.value for constraint in constraints if constraint.kind in ("flag", "pair")}


def _types(directive: str, written: Any) -> frozenset[str]:
    """Return the types of a dependency as written in its directive."""
    if directive == "extends":
        return frozenset({"build", "run"})
    return frozenset([written] if isinstance(written, str) else written if isinstance(written, (list, tuple)) else _DEFAULT_TYPES)


def _packages(spec: str) -> list[NamedPackage]:
    """Return the packages of a spec; none where it cannot be read."""
    try:
        return named_packages(spec)
    except ExplainedError:
        return []


def _named(condition: str) -> str:
    """Return a condition that names no package, and hence is about the recipe's own, as a spec."""
    return f"{_SELF} {condition}" if re.match(r"\w[\w-]*:?=", condition) or not condition[:1].isalnum() else condition


def _plain(value: Any) -> Any:
    """Return views and iterators as lists of plain values."""
    return value if isinstance(value, (str, int, float, bool, type(None), list, tuple, dict)) else list(value)


def _known(left: Any, right: Any, combine: Any) -> Any:
    return _UNKNOWN if left is _UNKNOWN or right is _UNKNOWN else _attempt(lambda: combine(left, right))


def _attempt(compute: Any) -> Any:
    with contextlib.suppress(Exception):
        return compute()
    return _UNKNOWN


def _dotted(node: ast.expr) -> str:
    """Return a.b.C of an expression that is such a name, else ""."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return ".".join([node.id, *names]) if isinstance(node, ast.Name) else ""
