"""Processes that run ebs_volume at the same moment, as runs on several machines would."""

from __future__ import annotations

import multiprocessing
import os
import threading
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config

from plugins.module_utils._aws.requests import CLIENT_CONFIG
from plugins.module_utils._aws.volumes import VolumeGateway
from plugins.modules.ebs_volume import run
from tests.integration.volumes import hasty_gateway, now, parameters

# A process that has died would keep the others waiting for ever.
START_TIMEOUT = 60


class Racers:
    """As many processes as there are runs in a race; forked once, so that nobody pays for imports in the race itself.

    environment: the AWS_* variables of the account they work in.
    """

    def __init__(self, environment: dict[str, str], count: int) -> None:
        context = multiprocessing.get_context("fork")
        self._pool = context.Pool(count, _prepare, (environment, context.Barrier(count, timeout=START_TIMEOUT)))

    def race(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Run the module once for each request, all at the same moment; returns the results in the order of the requests."""
        return self._pool.map(_run, requests, chunksize=1)

    def __enter__(self) -> Racers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.terminate()
        self._pool.join()


class _Process:
    """What each process keeps from one race to the next."""

    gateway: VolumeGateway
    start: threading.Barrier


def _prepare(environment: dict[str, str], start: threading.Barrier) -> None:
    os.environ.update(environment)
    # A client of its own: forked processes must not share connections.
    _Process.gateway = hasty_gateway(boto3.session.Session().client("ec2", config=Config(**CLIENT_CONFIG)))
    _Process.start = start


def _run(request: dict[str, Any]) -> dict[str, Any]:
    _Process.start.wait()
    return run(parameters(wait_timeout=300, **request), _Process.gateway, False, now())
