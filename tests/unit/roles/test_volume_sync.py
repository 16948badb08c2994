"""Writing through what a build has finished, and no more often than there is something new. See roles/spack_bootstrap/files."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[3] / "roles/spack_bootstrap/files/volume_sync.py"


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Return a function that tells what the system's `sync` was called with so far."""
    called = tmp_path / "called"
    program = tmp_path / "bin/sync"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$*" >>{called}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return lambda: called.read_text().splitlines() if called.exists() else []


def volume_sync(folder):
    spec = importlib.util.spec_from_file_location("volume_sync", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.VolumeSync("/shared", str(folder / "build.log"), interval=0.01)


def test_a_growing_log_is_written_through_with_the_volume_it_lies_on(tmp_path, calls):
    log = tmp_path / "build.log"
    with volume_sync(tmp_path):
        log.write_text("[+] abcdefg zlib@1.3 (2s)\n")
        deadline = time.monotonic() + 10
        while len(calls()) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(calls()) == 2
        time.sleep(0.1)
    assert calls() == ["--file-system /shared"] * 2


def test_what_came_last_is_written_through_too(tmp_path, calls):
    with volume_sync(tmp_path) as sync:
        sync.ended.set()
        (tmp_path / "build.log").write_text("the end\n")
    assert len(calls()) == 2
