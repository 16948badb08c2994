# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Relative paths count from the directory in which Ansible was started.

A module on the controller runs in the folder of the playbook instead, and ours lies in the installed collection: what is written there is
gone after the next upgrade. So these options are made absolute before their module starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ExplainedError
from ..registry.place import parse_place

Absolute = Callable[[str], str]


def _path(value: str, absolute: Absolute) -> str:
    return absolute(value)


def _command(value: str, absolute: Absolute) -> str:
    """A name without a slash is looked for in PATH."""
    return absolute(value) if "/" in value else value


def _registry(value: str, absolute: Absolute) -> str:
    """A registry may also lie at an address, such as s3://… or github:…; what is neither is left for the module to refuse."""
    try:
        is_path = "://" not in value and parse_place(value).kind == "path"
    except ExplainedError:
        return value
    return absolute(value) if is_path else value


def _registries(value: Any, absolute: Absolute) -> Any:
    """A text of several, as Ansible takes it for a list, has commas; one in brackets is a list in JSON, which the module reads."""
    if isinstance(value, str):
        return value if value.startswith("[") else ",".join(_registry(one.strip(), absolute) for one in value.split(","))
    return [_registry(one, absolute) if isinstance(one, str) else one for one in value] if isinstance(value, (list, tuple)) else value


def _sources(value: Any, absolute: Absolute) -> Any:
    sources = value if isinstance(value, (list, tuple)) else [value]
    made = [absolute_options(source, absolute) if isinstance(source, Mapping) else source for source in sources]
    return made if isinstance(value, (list, tuple)) else made[0]


# The options of our modules that name files or folders of the controller.
OPTIONS: dict[str, Callable[[Any, Absolute], Any]] = {
    "allowed_signers": _path,
    "cache_dir": _path,
    "config": _path,
    "pcluster": _command,
    "registries": _registries,
    "registry": _registry,
    "running_config": _path,
    "signing_key": _path,
    "source_registry": _registry,
    "sources": _sources,
}


def absolute_options(options: Mapping[str, Any], absolute: Absolute) -> dict[str, Any]:
    """Return a module's options with paths that do not depend on where the module runs.

    absolute: makes a path absolute, ~ included.
    """
    return {name: OPTIONS[name](value, absolute) if _is_given(name, value) else value for name, value in options.items()}


def _is_given(name: str, value: Any) -> bool:
    return name in OPTIONS and bool(value) and (isinstance(value, str) or OPTIONS[name] in (_registries, _sources))
