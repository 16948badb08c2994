"""How a rule of EC2 gets into moto: the decorators that the rule files use, and their installation.

A rule is a function with a docstring whose last paragraph names its document: "Source: EC2 API Reference, AttachVolume."
There are five kinds:

check   looks at a request before moto sees it, and raises `refuse(...)`: f(call)
answer  wraps moto's answer; proceed().result is what it says:             f(call, proceed) -> answer
fake    takes the place of an action that moto does not have:              f(call) -> answer
extend  replaces a method of one of moto's classes:                        f(original, self, ...)
derive  replaces an attribute of one of moto's classes:                    f(original, self) -> value

Checks and answers of one action run in the order in which they are registered, the first one outermost.
"""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from botocore import xform_name
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response

# Requests that write are judged one at a time, so that no two of them pass a check that only one may pass.
WRITING = threading.RLock()


@dataclass(frozen=True)
class Rule:
    """One entry of the rule book: what it is for, and which document says so."""

    name: str
    kind: str
    targets: tuple[str, ...]
    function: Callable[..., Any]

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring, on one line."""
        return " ".join(self.function.__doc__.split("\n\n")[0].split())

    @property
    def source(self) -> str:
        """The document that the docstring names, on one line."""
        return " ".join(self.function.__doc__.split("Source:")[1].split()).rstrip(".")


BOOK: list[Rule] = []
_LAYERS: dict[str, list[Callable[..., Any]]] = {}
_FAKES: dict[str, Callable[..., Any]] = {}
_METHODS: list[tuple[type, str, Callable[..., Any]]] = []
_ATTRIBUTES: list[tuple[type, str, Callable[..., Any]]] = []


class Call:
    """One request to EC2: its parameters, and the account and region it is for."""

    def __init__(self, action: str, response: EC2Response):
        self.action, self.response = action, response
        self.backend, self.account, self.region = response.ec2_backend, response.current_account, response.region

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter by the name that the API reference gives it, for example "Placement.AvailabilityZone"."""
        return self.response._get_param(name, default)

    def flag(self, name: str) -> bool:
        """A boolean parameter; false when it is left out."""
        return self.response._get_bool_param(name, False)

    def set(self, name: str, value: Any) -> None:
        """Change a top-level parameter for the rules after this one, and for moto."""
        self.response.params[name] = value

    def parameters(self) -> dict[str, Any]:
        """A copy of all parameters, without those that do not belong to the request's meaning."""
        given = self.response.params.items()
        return copy.deepcopy({name: value for name, value in given if name not in ("ClientToken", "DryRun")})


def refuse(code: str, message: str) -> NoReturn:
    """Answer with an EC2 error."""
    raise EC2ClientError(code, message)


def _enter(kind: str, targets: tuple[str, ...], function: Callable[..., Any]) -> None:
    if "Source:" not in (function.__doc__ or ""):
        raise TypeError(f"The rule {function.__name__} names no source.")
    BOOK.append(Rule(function.__name__, kind, targets, function))


def check(*actions: str) -> Callable[..., Any]:
    """Register a rule that judges requests: it returns nothing, or refuses."""

    def register(function: Callable[[Call], None]) -> Callable[[Call], None]:
        def layer(call: Call, proceed: Callable[[], Any]) -> Any:
            function(call)
            return proceed()

        _enter("check", actions, function)
        for action in actions:
            _LAYERS.setdefault(action, []).append(layer)
        return function

    return register


def answer(*actions: str) -> Callable[..., Any]:
    """Register a rule that changes, or takes over, what the action answers."""

    def register(function: Callable[[Call, Callable[[], Any]], Any]) -> Callable[..., Any]:
        _enter("answer", actions, function)
        for action in actions:
            _LAYERS.setdefault(action, []).append(function)
        return function

    return register


def fake(action: str) -> Callable[..., Any]:
    """Register the whole of an action that moto does not have."""

    def register(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
        _enter("fake", (action,), function)
        _FAKES[action] = function
        return function

    return register


def extend(owner: type, name: str) -> Callable[..., Any]:
    """Register a replacement for a method of a moto class; it gets the original method as its first argument."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _enter("extend", (f"{owner.__name__}.{name}",), function)
        _METHODS.append((owner, name, function))
        return function

    return register


def derive(owner: type, name: str) -> Callable[..., Any]:
    """Register how an attribute of a moto class is worked out; the first argument reads what moto itself would say."""

    def register(function: Callable[[Callable[[Any], Any], Any], Any]) -> Callable[..., Any]:
        _enter("derive", (f"{owner.__name__}.{name}",), function)
        _ATTRIBUTES.append((owner, name, function))
        return function

    return register


def install() -> None:
    """Put every registered rule into force, for the whole process."""
    for owner, name, function in _METHODS:
        _replace_method(owner, name, function)
    for owner, name, function in _ATTRIBUTES:
        _replace_attribute(owner, name, function)
    for action in _LAYERS.keys() | _FAKES.keys():
        setattr(EC2Response, xform_name(action), _handler(action))


def _replace_method(owner: type, name: str, function: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def replacement(self: Any, *arguments: Any, **named: Any) -> Any:
        return function(original, self, *arguments, **named)

    setattr(owner, name, replacement)


def _replace_attribute(owner: type, name: str, function: Callable[..., Any]) -> None:
    """Make a property of what may be a property or a plain attribute; what moto assigns to it is kept for `original`."""
    original = getattr(owner, name, None)
    read = original.fget if isinstance(original, property) else lambda self: vars(self).get(name)

    def keep(self: Any, value: Any) -> None:
        vars(self)[name] = value

    setattr(owner, name, property(functools.partial(function, read), keep))


def _handler(action: str) -> Callable[[EC2Response], ActionResult]:
    original = getattr(EC2Response, xform_name(action), None)
    fake_action, layers = _FAKES.get(action), _LAYERS.get(action, [])
    reads = action.startswith(("Describe", "Get"))

    def innermost(call: Call) -> Any:
        if fake_action is None:
            return original(call.response)
        call.response.error_on_dryrun()
        return fake_action(call)

    def run(call: Call, depth: int) -> ActionResult:
        result = innermost(call) if depth == len(layers) else layers[depth](call, lambda: run(call, depth + 1))
        return result if isinstance(result, ActionResult) else ActionResult(result)

    def handler(self: EC2Response) -> ActionResult:
        call = Call(action, self)
        if reads or action == "RunInstances":  # starting hosts takes seconds: it must not hold up the others
            return run(call, 0)
        with WRITING:
            return run(call, 0)

    return handler
