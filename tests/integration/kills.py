"""End a process in the middle of what it asks of AWS."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

EVENTS = {"before": "before-send.ec2", "after": "response-received.ec2"}


def killed_at(call: int, moment: str, clients: Iterable[Any], act: Callable[[], Any]) -> int:
    """Do `act` in a process of its own, which is killed right before or right after its nth call; return what killed it, or 0.

    moment: a key of EVENTS. clients: those that `act` uses and this process never does, as connections must not be shared.
    """
    child = os.fork()
    if child == 0:
        try:
            numbers = itertools.count()
            for client in clients:
                client.meta.events.register(
                    EVENTS[moment], lambda **_: os.kill(os.getpid(), signal.SIGKILL) if next(numbers) == call else None
                )
            act()
        finally:
            os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])
