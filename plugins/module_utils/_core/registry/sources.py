# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where snapshots are looked for, in which order, and whom each source trusts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ManyProblems

LOCAL = "local"
TYPES = (LOCAL, "organization", "official", "community")
# What strangers publish is used by those who ask for it.
OPT_IN = ("official", "community")


@dataclasses.dataclass(frozen=True)
class Source:
    """One source of snapshots.

    type: "local" is the account's own snapshots by their tags; all others are registries. registry: its place; None for local.
    trusted_accounts: whose snapshots may be used when this source names them, beside those trusted everywhere.
    allowed_signers: path of the list of whose signatures count; None where nobody's do.
    """

    type: str
    registry: str | None = None
    trusted_accounts: tuple[str, ...] = ()
    priority: int = 0
    enabled: bool = True
    allowed_signers: str | None = None
    require_signature: bool = False
    require_proof: bool = False

    def title(self, region: str | None) -> str:
        """Return what messages call it."""
        if self.type == LOCAL:
            return f"tags in {region}"
        return f"{'' if self.type == 'organization' else f'{self.type} '}registry {self.registry}"


def sources_from(params: Mapping[str, Any]) -> list[Source]:
    """Return the sources that a module's options name, in the order in which they are asked.

    params: either sources, a list of dictionaries, or use_tags and registries; and what holds for all of them.
    Raises ManyProblems with everything that is wrong.
    """
    policy = {"require_signature": bool(params.get("require_signature")), "require_proof": bool(params.get("require_proof"))}
    signers = params.get("allowed_signers")
    if params.get("sources"):
        sources = [_source(given, signers, policy) for given in params["sources"]]
    else:
        own = [Source(LOCAL, **policy)] if params.get("use_tags", True) else []
        sources = [*own, *(Source("organization", path, allowed_signers=signers, **policy) for path in params.get("registries") or ())]
    problems = list(_problems(sources))
    if problems:
        raise ManyProblems("The sources of snapshots cannot be used:", problems)
    return sorted(sources, key=lambda source: source.priority)


def account_ids(accounts: Iterable[object]) -> tuple[str, ...]:
    """Return account ids in their canonical form: a YAML reader takes one for a number, which has lost its leading zeros."""
    return tuple(str(account).zfill(12) for account in accounts)


def _source(given: Mapping[str, Any], signers: str | None, policy: Mapping[str, bool]) -> Source:
    accounts = account_ids([*([given["account"]] if given.get("account") else []), *(given.get("trusted_accounts") or ())])
    enabled = given.get("enabled")
    return Source(
        type=given["type"],
        registry=given.get("registry"),
        trusted_accounts=accounts,
        priority=given.get("priority") or 0,
        enabled=given["type"] not in OPT_IN if enabled is None else enabled,
        allowed_signers=given.get("allowed_signers") or signers,
        # A source may ask for more than the task does, never for less.
        **{rule: asked or bool(given.get(rule)) for rule, asked in policy.items()},
    )


def _problems(sources: list[Source]) -> Iterable[str]:
    for source in sources:
        if source.type not in TYPES:
            yield f"{source.type} is no type of source; choose from {', '.join(TYPES)}."
        elif source.type == LOCAL and source.registry:
            yield f"The local source is the account's own snapshots; give {source.registry} another type, such as organization."
        elif source.type != LOCAL and not source.registry and source.enabled:
            yield (
                f"The {source.type} source names no registry. The tags of a snapshot are not visible to other accounts, so an account "
                "alone tells nothing about what is on its snapshots."
            )
        elif source.require_signature and source.registry and source.enabled and not source.allowed_signers:
            yield f"require_signature is set, but {source.registry} has no allowed_signers: no signature could count."
