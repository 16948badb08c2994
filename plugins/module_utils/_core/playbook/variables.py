# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables of a playbook: which it takes, and what is wrong with those that a person gives."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import ExplainedError
from ..plain import is_empty
from ..registry.place import parse_place

Definition = dict[str, Any]
Given = Mapping[str, Any]

# What Ansible's filter `bool` reads, too: it takes the y and t of module options for false.
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
# What a person gives where the data has no example.
_EXAMPLES: dict[str, Any] = {"dict": {"…": "…"}, "float": 10, "int": 10, "list": ["…"], "path": "FILE"}


def playbook_definition(data: Mapping[str, Any], name: str) -> Definition:
    """Return what a playbook takes, out of playbooks/meta/variables.yml.

    Returns {"required", "later", "exclusive": lists, "variables": {name: {"type", "words", …}}}, what is required first.
    """
    playbook = data["playbooks"][name]
    changed = playbook.get("but", {})
    names = dict.fromkeys(_names(data, playbook))
    return {
        **{key: playbook.get(key, []) for key in ("required", "later", "exclusive")},
        "variables": {one: {**data["variables"][one], **changed.get(one, {})} for one in names},
    }


def detached_variables(data: Mapping[str, Any]) -> list[str]:
    """Return the variables that a host which goes on alone with a build needs, too."""
    taken = playbook_definition(data, "build_seed")["variables"]
    return [name for name, variable in taken.items() if variable.get("detached")]


def names_in(requirements: Iterable[str]) -> list[str]:
    """Return the variables of "seed or build_id and region", each once."""
    ways = [way for requirement in requirements for way in _ways(requirement)]
    return list(dict.fromkeys(name for way in ways for name in way))


def problems_of(definition: Definition, given: Given) -> list[str]:
    """Return all that is wrong with the variables of a playbook, a sentence each.

    given: values by name, no templates; '', None, [] and {} count as not given. Names that the definition lacks are passed over.
    """
    variables = definition["variables"]
    values = {name: given[name] for name in variables if name in given and not is_empty(given[name])}
    missing = missing_variables(definition, values)
    later = missing_variables(definition, values, "later") if missing else []
    wrong = [problem for name, value in values.items() if (problem := _problem(name, variables[name], value))]
    return missing + later + wrong + _together(definition["exclusive"], values)


def missing_variables(definition: Definition, given: Given, when: str = "required") -> list[str]:
    """Return a sentence for each requirement that is not met; when: "required", or "later", once they are known to be needed."""
    problems = []
    for requirement in definition[when]:
        ways = _ways(requirement)
        if not any(all(not is_empty(given.get(name)) for name in way) for way in ways):
            told = [" ".join(_explained(name, definition["variables"][name]) for name in way) for way in ways]
            problems.append(f"{requirement} is missing: add {', or '.join(told)}")
    return problems


def example_of(name: str, variable: Mapping[str, Any]) -> str:
    """Return how a person gives a variable: "-e seed=FILE.yaml"."""
    value = _example_value(variable)
    return f"-e '{json.dumps({name: value}, ensure_ascii=False)}'" if isinstance(value, (list, dict)) else f"-e {name}={value}"


def _example_value(variable: Mapping[str, Any]) -> Any:
    default = variable.get("default")
    if "example" in variable:
        return variable["example"]
    if variable["type"] == "bool":
        return str(not default).lower()
    if isinstance(default, int):
        return default
    return variable.get("choices", [_EXAMPLES.get(variable["type"], "…")])[0]


def _explained(name: str, variable: Mapping[str, Any]) -> str:
    return f"{example_of(name, variable)} ({variable.get('hint', variable['words'])})"


def _names(data: Mapping[str, Any], part: Mapping[str, Any]) -> list[str]:
    """Return the names that a playbook or a group takes, with those of the parts that it names."""
    parts = {**data["groups"], **data["playbooks"]}
    others = [name for one in part.get("with", []) for name in _names(data, parts[one])]
    return [*names_in([*part.get("required", []), *part.get("later", [])]), *part.get("takes", []), *others]


def _ways(requirement: str) -> list[list[str]]:
    return [way.split(" and ") for way in requirement.split(" or ")]


def _together(groups: Iterable[Iterable[str]], values: Given) -> list[str]:
    """Return a sentence for each group of which more than one is given; a flag that is false is not."""
    found = [[name for name in group if name in values and str(values[name]).lower() not in _FALSE] for group in groups]
    return [f"{' and '.join(names)} exclude each other: leave out all but one" for names in found if len(names) > 1]


def _problem(name: str, variable: Mapping[str, Any], value: Any) -> str | None:
    kind, fits = _TYPES[variable["type"]]
    if not fits(value):
        return f"{name} is {_shown(value)}, not {kind}: give it as {example_of(name, variable)}"
    choices = variable.get("choices")
    if choices and value not in choices:
        return f"{name} is {_shown(value)}; it can be {', '.join(choices)}: give it as {example_of(name, variable)}"
    return _unusable(name, value) if variable["type"] == "registry" else None


def _unusable(name: str, value: Any) -> str | None:
    try:
        parse_place(str(value))
    except ExplainedError as error:
        return f"{name}: {error}"
    return None


def _shown(value: Any) -> str:
    """Return a value for a message: short, and nothing of what a list or a dictionary may hold."""
    kinds = {dict: "a dictionary", (list, tuple): "a list"}
    return next((word for kind, word in kinds.items() if isinstance(value, kind)), repr(value)[:60])


def _is_text(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def _is_flag(value: Any) -> bool:
    return isinstance(value, (str, int)) and str(value).lower() in (*_TRUE, *_FALSE)


def _is_number(value: Any, whole: bool = False) -> bool:
    try:
        number = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError):
        return False
    return number.is_integer() if whole else abs(number) < float("inf")


def _is_list(value: Any) -> bool:
    """A text is a list with commas, or in JSON."""
    return isinstance(value, (list, tuple)) or (_is_text(value) and (not str(value).startswith("[") or _reads_as(list, str(value))))


def _is_dict(value: Any) -> bool:
    """A text is a dictionary as key=value, or in JSON."""
    return isinstance(value, dict) or (isinstance(value, str) and (_reads_as(dict, value) if value.startswith("{") else "=" in value))


def _reads_as(kind: type, text: str) -> bool:
    for read in (json.loads, ast.literal_eval):
        try:
            return isinstance(read(text), kind)
        except (ValueError, SyntaxError):
            continue
    return False


_TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "bool": ("true or false", _is_flag),
    "dict": ("a dictionary", _is_dict),
    "float": ("a number", _is_number),
    "int": ("a whole number", lambda value: _is_number(value, whole=True)),
    "list": ("a list", _is_list),
    "path": ("a path", lambda value: isinstance(value, str)),
    "registry": ("a path or an address", lambda value: isinstance(value, str)),
    "str": ("a text", _is_text),
}
