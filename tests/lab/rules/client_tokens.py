"""Client tokens: a request that is sent twice has one effect."""

from __future__ import annotations

import collections
import threading
from dataclasses import dataclass
from typing import Any

from tests.lab.rules.rulebook import Call, answer, refuse


@dataclass
class Known:
    """What is remembered of a token."""

    parameters: dict[str, Any]
    result: Any


_KNOWN: dict[tuple[str, ...], Known] = {}
_TURNS: dict[tuple[str, ...], threading.Lock] = collections.defaultdict(threading.Lock)


@answer("CreateVolume", "RunInstances")
def token_has_one_effect(call: Call, proceed: Any) -> Any:
    """A client token makes one resource: repeated, the same answer; with other parameters, IdempotentParameterMismatch.

    A volume that has been deleted burns its token.
    Source: EC2 Developer Guide, "Ensuring idempotency in Amazon EC2 API requests".
    """
    token = call.get("ClientToken")
    if not token:
        return proceed()
    key = (call.account, call.region, call.action, token)
    with _TURNS[key]:
        known = _KNOWN.get(key)
        if known is None:
            known = _KNOWN[key] = Known(call.parameters(), proceed())
        elif known.parameters != call.parameters():
            refuse(
                "IdempotentParameterMismatch",
                "The request uses the same client token as a previous, but non-identical request. "
                "Do not reuse a client token with different requests, unless the requests are identical.",
            )
        elif call.action == "CreateVolume" and known.result.result.id not in call.backend.volumes:
            refuse(
                "IdempotentParameterMismatch",
                "The client token you have provided is associated with a resource that is already deleted. "
                "Please use a different client token.",
            )
        return known.result
