# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Errors that tell a person what happened, to which resource, and what to do next."""

from __future__ import annotations


class ExplainedError(Exception):
    """A refusal or failure that a user can act on.

    what: what happened and why, as one or two sentences.
    resource: the id, name or path it happened to, when there is one.
    next_step: what to do now.
    details: machine-readable facts that the module returns beside the message.
    """

    def __init__(self, what: str, *, resource: str | None = None, next_step: str | None = None, **details: object) -> None:
        self.what, self.resource, self.next_step, self.details = what, resource, next_step, details
        super().__init__(" ".join(part for part in (what, next_step) if part))

    def to_result(self) -> dict[str, object]:
        """Return the keyword arguments for fail_json."""
        facts = {"resource": self.resource, "next_step": self.next_step}
        return {"msg": str(self), **{key: value for key, value in facts.items() if value}, **self.details}


class ManyProblems(ExplainedError):
    """Every problem of one input at once, so that a file is mended in one go.

    problems: sentences, in the order of the input.
    """

    def __init__(self, what: str, problems: list[str], *, resource: str | None = None, next_step: str | None = None) -> None:
        super().__init__(what, resource=resource, next_step=next_step, problems=problems)
        self.problems = problems

    def __str__(self) -> str:
        lines = [self.what, *(f"  - {problem}" for problem in self.problems)]
        return "\n".join(lines + ([self.next_step] if self.next_step else []))
