# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Many volumes or snapshots at once: each has a plan of its own, and each action is done for all of them together."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from .._core.errors import ExplainedError
from .._core.plan import Plan

# More requests at once only meet EC2's request limits; the client's connection pool is a little larger.
REQUESTS_AT_ONCE = 24

T = TypeVar("T")
R = TypeVar("R")


@dataclasses.dataclass(kw_only=True)
class Item:
    """One resource on its way.

    label: what the user calls it. request: what the options ask for; None when they contradict each other.
    done: how many of the plan's actions are over. acted: something was changed, even if a later step failed.
    """

    label: str
    request: Any = None
    plan: Plan | None = None
    done: int = 0
    error: ExplainedError | None = None
    acted: bool = False
    warnings: list[str] = dataclasses.field(default_factory=list)

    @contextlib.contextmanager
    def catching(self) -> Iterator[None]:
        """Keep an ExplainedError of the block as this item's, so that the others go on."""
        try:
            yield
        except ExplainedError as error:
            self.error = error

    def has(self, action: str) -> bool:
        """Say whether the action is in the plan of an item that has not failed."""
        return self.error is None and self.plan is not None and action in self.plan.actions

    @property
    def left(self) -> tuple[str, ...]:
        """The actions that are still to be done, in the plan's order; none of an item that has failed."""
        return self.plan.actions[self.done :] if self.error is None and self.plan is not None else ()


def at_once(act: Callable[[T], R], values: Iterable[T], most: int = REQUESTS_AT_ONCE) -> list[R]:
    """Do one thing for all values, up to `most` of them at once; return what comes of each, in their order."""
    values = list(values)
    if not values:
        return []
    with ThreadPoolExecutor(min(len(values), most)) as pool:
        return list(pool.map(act, values))


def together(items: Iterable[Item], act: Callable[[Any], None]) -> None:
    """Do one thing for all items that have not failed; a failure is noted in its item and does not stop the others."""

    def guarded(item: Item) -> None:
        with item.catching():
            act(item)

    at_once(guarded, [item for item in items if item.error is None])


def in_order(items: Sequence[Item], steps: Mapping[str, Callable[[list[Any]], None]]) -> None:
    """Carry out every plan in its own order; items whose next action is the same are served together.

    steps: what carries out an action for many items, and notes a failure in its item.
    """
    while action := _next_action(items):
        served = [item for item in items if item.left[:1] == (action,)]
        steps[action](served)
        for item in served:
            item.done += 1


def _next_action(items: Iterable[Item]) -> str | None:
    """Return an action whose turn it is, if possible one that no other item comes to later: then all are served by one step."""
    left = [item.left for item in items if item.left]
    later = {action for actions in left for action in actions[1:]}
    return min((actions[0] for actions in left), key=lambda action: action in later, default=None)


def options_of(params: Mapping[str, Any], names: Iterable[str], listed: str) -> list[dict[str, Any]]:
    """Return the options of each item; what is said beside the list holds where an item says nothing.

    names: of the options that an item may have. listed: the option that holds the list; None in it: the options mean one item.
    """
    common = {name: params[name] for name in names}
    if params[listed] is None:
        return [common]
    # Ansible leaves an option that was given by its alias in the item under both names.
    given = [{name: one[name] for name in common if one.get(name) is not None} for one in params[listed]]
    return [{**common, **one} for one in given]


def refuse_repetitions(items: Iterable[Item], kind: str, key_of: Callable[[Any], Hashable]) -> None:
    """Refuse what a list names twice. kind: "volume"; key_of: tells an item's resource from others, None for nothing yet."""
    seen: set[Hashable] = set()
    for item in items:
        key = key_of(item)
        if key in seen and item.error is None:
            item.error = ExplainedError(
                f"{kind.capitalize()} {item.label} is in the list twice.",
                resource=item.label,
                next_step=f"Name each {kind} once, with all its options.",
            )
        if key is not None:
            seen.add(key)


def summary(items: Sequence[Item], results: Sequence[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the result of a list: that of each item, and which ones failed. results: as many as items; kind: "volume"."""
    whole: dict[str, Any] = {
        "changed": any(result["changed"] for result in results),
        "results": [
            {"failed": False, "item": item.label, **result, **failure_of(item)} for item, result in zip(items, results, strict=True)
        ],
    }
    diffs = [result["diff"] for result in results if result["changed"] and "diff" in result]
    if diffs:
        whole["diff"] = diffs
    failed = [item for item in items if item.error is not None]
    if not failed:
        return whole
    reasons = "\n".join(f"  - {item.label}: {item.error}" for item in failed)
    return {
        **whole,
        "failed": True,
        "failed_items": [item.label for item in failed],
        "msg": f"{len(failed)} of {len(items)} {kind}s failed:\n{reasons}",
    }


def failure_of(item: Item) -> dict[str, Any]:
    """Return what a result says of a failure; nothing when there was none."""
    return {"failed": True, **item.error.to_result()} if item.error else {}


def warnings_of(items: Iterable[Item]) -> list[str]:
    return [warning for item in items for warning in item.warnings]
