"""Faults on demand: a WSGI layer that refuses, delays or loses answers, and counts the calls.

A fault is a dict (`POST /lab/faults` takes a list of them, and replaces those in force):

action        the API action it is for, or "*"
code, status  the error to answer, and its HTTP status (400)
message       the text of the error
times         how often it strikes (always)
after         how many calls pass before it starts
delay         seconds to wait before going on
fresh         strikes only while a resource named in the request is younger than so many seconds
rate, burst   a token bucket: strikes only when it is empty (rate: tokens a second, burst: its size)
drop          true: the action is carried out, then its answer is lost
"""

from __future__ import annotations

import collections
import io
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

RESOURCE_ID = re.compile(rb"\b(?:vol|snap|i|eni|sg)-[0-9a-f]{17}\b")
CREATING = ("Create", "Run", "Copy", "Start")
FORM = "application/x-www-form-urlencoded"


@dataclass
class Fault:
    """One fault in force, with what is left of it."""

    action: str
    code: str | None = None
    status: int = 400
    message: str = "Injected by the lab."
    times: int | None = None
    after: int = 0
    delay: float = 0
    fresh: float | None = None
    rate: float | None = None
    burst: float = 1
    drop: bool = False
    tokens: float = field(default=0, init=False)
    filled: float = field(default_factory=time.monotonic, init=False)

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def strikes(self, action: str, youngest: float) -> bool:
        """Whether this call is hit; counts down. youngest: age in seconds of the youngest resource it names."""
        if self.action not in (action, "*") or (self.fresh is not None and youngest >= self.fresh):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.rate is not None and self._take_token():
            return False
        if self.times is not None:
            self.times -= 1
            return self.times >= 0
        return True

    def _take_token(self) -> bool:
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class FaultInjector:
    """The WSGI layer. `faults` are those in force, `calls` counts what came in, by action."""

    def __init__(self, app: Callable[..., Iterable[bytes]]):
        self.app = app
        self.faults: list[Fault] = []
        self.calls: collections.Counter[str] = collections.Counter()
        self._born: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def set(self, faults: list[dict[str, Any]]) -> None:
        """Replace the faults in force. Raises TypeError for a key that no fault has."""
        self.faults = [Fault(**fault) for fault in faults]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = read_form(environ)
        action = action_of(environ, body)
        with self._lock:
            self.calls[action] += 1
            fault = next((fault for fault in self.faults if fault.strikes(action, self._youngest(body))), None)
        if fault is None:
            return self._carry_out(action, environ, start_response)
        time.sleep(fault.delay)
        if fault.drop:
            self._carry_out(action, environ, lambda *_: None)
        elif fault.code is None:
            return self._carry_out(action, environ, start_response)
        return refuse(fault.code or "InternalError", fault.status, fault.message, environ, start_response)

    def _carry_out(self, action: str, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        answer = b"".join(self.app(environ, start_response))
        if action.startswith(CREATING):
            with self._lock:
                for resource in RESOURCE_ID.findall(answer):
                    self._born.setdefault(resource, time.monotonic())
        return [answer]

    def _youngest(self, body: bytes) -> float:
        now = time.monotonic()
        return min((now - self._born[i] for i in RESOURCE_ID.findall(body) if i in self._born), default=float("inf"))


def read_form(environ: dict[str, Any]) -> bytes:
    """The request's body, put back for the next reader. Only forms are read: EC2 and STS send nothing else."""
    if not environ.get("CONTENT_TYPE", "").startswith(FORM):
        return b""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def action_of(environ: dict[str, Any], body: bytes) -> str:
    """The name of the action that a request is for; body: what read_form returned."""
    if body:
        return urllib.parse.parse_qs(body.decode()).get("Action", ["?"])[0]
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return target or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


def refuse(code: str, status: int, message: str, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer with an error, in the form of the service that was asked."""
    if environ.get("CONTENT_TYPE", "").startswith(FORM):
        error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        text = f"<Response><Errors>{error}</Errors><RequestID>lab</RequestID></Response>"
        headers = [("Content-Type", "text/xml")]
    else:
        text = json.dumps({"message": message, "__type": code})
        headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", code)]
    start_response(f"{status} Injected", [*headers, ("Content-Length", str(len(text)))])
    return [text.encode()]
