# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a seed may contain: read, checked as a whole, completed with defaults."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator
from typing import Any

from ..errors import ExplainedError, ManyProblems
from ..facts.mount_points import canonical_mount_point
from ..facts.operating_system import DEFAULT_OS, find_os
from ..git import canonical_git_ref
from ..positioned_yaml import Document, Path, read_document, show_path
from ..software.module_tree import MODULES
from .rules import canonical_capacity_type, problems_of, warnings_of

try:
    import jsonschema
except ImportError:
    jsonschema = None

TYPE_NAMES = {
    "object": "a mapping (key: value)",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
}


@dataclasses.dataclass(frozen=True)
class ReadSeed:
    """A seed, ready for use.

    seed: plain values with every default filled in; docs/seed.md shows the shape.
    warnings: what a person should know although it is no failure.
    """

    seed: dict[str, Any]
    warnings: list[str]


def read_seed(text: str, schema: dict[str, Any], source: str) -> ReadSeed:
    """Read and check a seed.

    text: YAML.
    schema: the JSON Schema of seeds, schemas/seed.schema.json.
    source: the file's name, for messages.
    Raises ManyProblems with every problem of the file, in the file's order, each with its path and line.
    """
    document = read_document(text, source)
    data = _without_nulls(document.data)
    found = find_problems(document, schema)
    if found:
        raise ManyProblems(
            f"{source} is no valid seed:",
            [_located(document, *problem) for problem in found],
            resource=source,
            next_step="docs/seed.md describes every key.",
        )
    return ReadSeed(_complete(data), [_located(document, *warning) for warning in warnings_of(data)])


def find_problems(document: Document, schema: dict[str, Any]) -> list[tuple[Path, str]]:
    """Return (path, sentence) for everything that makes a seed unusable, in the order of the file."""
    data = _without_nulls(document.data)
    found = [*_schema_problems(data, schema), *problems_of(data)]
    return sorted(found, key=lambda problem: document.line(problem[0]) or 0)


def _located(document: Document, path: Path, sentence: str) -> str:
    line = document.line(path)
    where = f"{show_path(path)} (line {line})" if line else "the seed"
    return f"{where}: {sentence}"


def _without_nulls(value: Any) -> Any:
    """Drop keys without a value: `users:` with nothing under it means the same as no `users`."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _is_integer(_checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _schema_problems(data: Any, schema: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    if jsonschema is None:
        raise ExplainedError(
            "Reading a seed needs the Python library jsonschema, which is not installed on the controller.",
            next_step="Install the collection's requirements.txt there.",
        )
    # To JSON Schema 4.0 is a whole number; to what reads our output it is not.
    types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=types)
    incomplete = set()
    for error in validator(schema).iter_errors(data):
        path = tuple(error.absolute_path)
        if error.validator == "required":
            # One error of the library for each key; which one is only in its words.
            if path not in incomplete:
                yield from ((path, f"{key!r} is missing") for key in error.validator_value if key not in error.instance)
            incomplete.add(path)
        elif error.validator == "additionalProperties":
            known, patterns = error.schema.get("properties", {}), error.schema.get("patternProperties", {})
            for key in error.instance:
                if key not in known and not any(re.search(pattern, key) for pattern in patterns):
                    yield (*path, key), f"there is no such key here{_nearest(key, known)}"
        else:
            yield path, _explain(error)


def _explain(error: Any) -> str:
    """Say in our words what one error of the schema library means; `error` is its ValidationError."""
    wrong, limit = error.instance, error.validator_value
    match error.validator:
        case "type":
            return _explain_type(wrong, limit)
        case "pattern":
            return f"{wrong!r} {error.schema.get('patternErrorMessage', f'does not match {limit}')}"
        case "enum":
            return f"{wrong!r} is not one of {', '.join(map(str, limit))}"
        case "minimum":
            return f"{wrong} is too small; {limit} is the least{error.schema.get('minimumErrorMessage', '')}"
        case "maximum":
            return f"{wrong} is too large; {limit} is the most"
        case "minItems" | "minLength":
            return "it is empty"
        case _:
            return error.message


def _explain_type(wrong: Any, limit: str | list[str]) -> str:
    wanted = [limit] if isinstance(limit, str) else limit
    names = " or ".join(TYPE_NAMES[name] for name in wanted)
    if "string" in wanted and not isinstance(wrong, (dict, list)):
        return f"{wrong!r} is not text to YAML; write it in quotes"
    shown = "a mapping" if isinstance(wrong, dict) else "a list" if isinstance(wrong, list) else repr(wrong)
    return f"{shown} stands where {names} belongs"


def _nearest(word: str, choices: Any) -> str:
    """Return "; did you mean X?" for the choice spelt most alike, else the choices."""
    close = difflib.get_close_matches(str(word), list(choices), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else f"; choose from {', '.join(choices)}"


def _complete(data: dict[str, Any]) -> dict[str, Any]:
    """Return a checked seed with its defaults, every key present."""
    cluster, compute, software = data["cluster"], data["compute"], data.get("software", {})
    head_node = compute["head_node"] if isinstance(compute["head_node"], dict) else {"instance_type": compute["head_node"]}
    return {
        "cluster": {
            "name": cluster["name"],
            "region": cluster["region"],
            "os": find_os(cluster.get("os", DEFAULT_OS)).name,
            "custom_ami": cluster.get("custom_ami"),
        },
        "compute": {
            "head_node": head_node["instance_type"],
            "head_node_root_volume_gib": head_node.get("root_volume_gib"),
            "queues": [_complete_queue(queue) for queue in compute["queues"]],
            "login_nodes": {"count": 1, **compute["login_nodes"]} if "login_nodes" in compute else None,
        },
        "software": {
            "spack_packages": software.get("spack_packages", []),
            "spack_version": canonical_git_ref(software.get("spack_version")),
            "recipes_version": canonical_git_ref(software.get("recipes_version")),
            "compiler": software.get("compiler"),
            "externals": software.get("externals", {}),
            "modules": {**MODULES, **software.get("modules", {})},
            "target": software.get("target"),
            "smoke": software.get("smoke", {}),
        },
        "users": [{"gid": user["uid"], "groups": [], **user} for user in data.get("users", [])],
        "groups": data.get("groups", []),
        "data": {"s3_mounts": [_complete_mount(mount) for mount in data.get("data", {}).get("s3_mounts", [])]},
    }


def _complete_queue(queue: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": queue["name"],
        "instance_types": list(dict.fromkeys(queue["instance_types"])),
        "min_count": queue.get("min_count", 0),
        "max_count": queue["max_count"],
        "capacity_type": canonical_capacity_type(queue.get("capacity_type", "ONDEMAND")),
        "allocation_strategy": queue.get("allocation_strategy"),
        "efa": queue.get("efa"),
        "placement_group": queue.get("placement_group"),
        "disable_smt": queue.get("disable_smt", False),
        "custom_ami": queue.get("custom_ami"),
    }


def _complete_mount(mount: dict[str, Any]) -> dict[str, Any]:
    return {
        "bucket": mount["bucket"],
        "mount_point": canonical_mount_point(mount["mount_point"]),
        "read_only": mount.get("read_only", False),
    }
