# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values as templates give them (500, "500", "yes") read into a dataclass, or every problem with them at once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from .errors import ExplainedError, ManyProblems
from .quantity import exact_gib

_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")
_Inputs = TypeVar("_Inputs")


def number(*, default: Any = dataclasses.MISSING, above: float | None = None, least: float = 0) -> Any:
    """Declare a field that takes a number: at least `least`, or above `above` if that is given."""

    def read(value: Any) -> float:
        try:
            result = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            result = math.nan
        if not (math.isfinite(result) and (result >= least if above is None else result > above)):
            raise ValueError(f"a number of {least:g} or more" if above is None else f"a number above {above:g}")
        return int(result) if result.is_integer() else result

    return _field(read, default)


def gib(*, whole: bool = False) -> Any:
    """Declare a field that takes GiB or a quantity such as 500Gi; whole: rounded up, as EBS counts."""

    def read(value: Any) -> float:
        try:
            exact = exact_gib(value)
        except ExplainedError:
            raise ValueError("GiB above 0, or a quantity such as 500Gi or 1Ti") from None
        return math.ceil(exact) if whole or exact.denominator == 1 else float(exact)

    return _field(read, dataclasses.MISSING)


def flag(*, default: bool = False) -> Any:
    """Declare a field that takes true or false."""

    def read(value: Any) -> bool:
        text = str(value).lower()
        if text not in (*_YES, *_NO):
            raise ValueError("true or false")
        return text in _YES

    return _field(read, default)


def choice(choices: Iterable[str], *, default: Any = dataclasses.MISSING) -> Any:
    """Declare a field that takes one of some words."""
    known = tuple(choices)

    def read(value: Any) -> str:
        if value not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return str(value)

    return _field(read, default)


def read_inputs(kind: type[_Inputs], values: Mapping[str, Any], what: str) -> _Inputs:
    """Return the dataclass `kind`, whose fields are declared with number, flag or choice.

    values: by field name; None means "not given".
    what: what the values are for, as messages call it.
    Raises ManyProblems for names that are no field, for fields that are missing, and for values that do not fit.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    given = {name: value for name, value in values.items() if value is not None}
    problems = [f"{name} is not known; choose from {', '.join(fields)}" for name in sorted(set(given) - set(fields))]
    problems += [f"{name} is missing" for name, field in fields.items() if name not in given and field.default is dataclasses.MISSING]
    read = {}
    for name in fields.keys() & given.keys():
        try:
            read[name] = fields[name].metadata["read"](given[name])
        except ValueError as expected:
            problems.append(f"{name} is {given[name]!r}; give {expected}")
    if problems:
        raise ManyProblems(f"{what} cannot be computed:", sorted(problems))
    return kind(**read)


def _field(read: Callable[[Any], Any], default: Any) -> Any:
    # pylint: disable-next=invalid-field-call  # the callers are in dataclasses
    return dataclasses.field(default=default, metadata={"read": read})
