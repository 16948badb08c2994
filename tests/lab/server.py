"""The lab's API server: moto with EC2's own rules, real block devices, slow states and faults.

    python -m tests.lab.server --state-dir DIR [--port 0] [--hosts] [--no-data-plane] [--no-rules] [--public-key FILE]

It listens on 127.0.0.1 and writes its port to DIR/port once it answers. SIGTERM detaches every device and ends it;
with --until-stdin-closes it also ends when the process that started it does.

Besides AWS's API it answers, in JSON:

POST   /lab/faults   a list of faults, see faults.py; replaces those in force
POST   /lab/slow     seconds by name, see states.py; changes those named
GET    /lab/calls    how often each action was called
DELETE /lab/calls    count from zero
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import pathlib
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

# Before moto is imported: it reads these at import. Its own 1301 images would hide the few that matter.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from tests.lab import data_plane, devices, population, states, store
from tests.lab.faults import FaultInjector

ADDRESS = "127.0.0.1"


class Control:
    """The WSGI layer that answers /lab/, in front of the faults."""

    def __init__(self, faults: FaultInjector):
        self.faults = faults
        self.routes: dict[tuple[str, str], Callable[[Any], Any]] = {
            ("POST", "/lab/faults"): faults.set,
            ("POST", "/lab/slow"): states.set_slow,
            ("GET", "/lab/calls"): lambda _: faults.calls,
            ("DELETE", "/lab/calls"): lambda _: faults.calls.clear(),
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/lab/"):
            return self.faults(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, result = self._answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], body)
        text = json.dumps(result).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
        return [text]

    def _answer(self, method: str, path: str, body: bytes) -> tuple[str, Any]:
        route = self.routes.get((method, path))
        if route is None:
            return "404 Not Found", {"error": f"The lab has no {method} {path}."}
        try:
            return "200 OK", route(json.loads(body) if body else None)
        except (TypeError, ValueError) as error:
            return "400 Bad Request", {"error": str(error)}


def make_app(
    state_dir: pathlib.Path,
    host_for: Callable[[str], data_plane.Host] | None = None,
    *,
    rules: bool = True,
    blocks: bool = True,
    public_key: str | None = None,
) -> Control:
    """The WSGI application. It changes moto's classes for the whole process, so make one in a process.

    state_dir: where volumes and snapshots keep their bytes.
    host_for: says which machine plays an instance, see data_plane.py; None: this machine plays all of them.
    rules: whether EC2's rules are in force; without them this is stock moto.
    blocks: whether volumes are block devices; needs root.
    public_key: of the key pair petal-lab, in OpenSSH's form; None: a new one.
    """
    if rules:
        from tests.lab import rules as rule_book

        rule_book.install()
    if blocks:
        data_plane.DataPlane(state_dir, host_for).install()
    population.install(public_key)
    return Control(FaultInjector(DomainDispatcherApplication(create_backend_app)))


def run(
    port: int,
    state_dir: pathlib.Path,
    *,
    hosts: bool = False,
    rules: bool = True,
    blocks: bool = True,
    public_key: str | None = None,
    until_stdin_closes: bool = False,
    store_dir: pathlib.Path | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then detach everything.

    port: 0 for any free one, which state_dir/port then names.
    store_dir: where snapshots outlive the lab, see store.py; None: they end with it.
    """
    state_dir = state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    fleet = None
    if hosts:
        from tests.lab.hosts import Fleet

        fleet = Fleet(state_dir)
    app = make_app(state_dir, fleet and fleet.host_for, rules=rules, blocks=blocks, public_key=public_key)
    if fleet:
        fleet.install()
    if store_dir:
        store.restore(store_dir, state_dir)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(ADDRESS, port, app, threaded=True, request_handler=MotoRequestHandler)
    inner = fleet.serve(app) if fleet else []

    def stop(*_: Any) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if until_stdin_closes:
        threading.Thread(target=lambda: (sys.stdin.read(), stop()), daemon=True).start()
    _write_at_once(state_dir / "port", str(server.port))
    try:
        server.serve_forever()
    finally:
        for service in inner:
            service.shutdown()
        if fleet:
            fleet.stop()
        if store_dir:
            store.keep(state_dir, store_dir)
        if blocks:
            devices.release(state_dir)


def _write_at_once(path: pathlib.Path, text: str) -> None:
    """Write a file that others wait for, so that nobody sees it half written."""
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.server", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--state-dir", type=pathlib.Path, required=True)
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--hosts", action="store_true", help="instances are real hosts")
    parser.add_argument("--no-data-plane", action="store_true", help="volumes are records only; the default when not root")
    parser.add_argument("--no-rules", action="store_true", help="stock moto")
    parser.add_argument("--public-key", type=pathlib.Path, help="file with the public key of the key pair petal-lab")
    parser.add_argument("--store", type=pathlib.Path, help="folder in which snapshots outlive the lab")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end together with the process that started the server")
    arguments = parser.parse_args()
    run(
        arguments.port,
        arguments.state_dir,
        hosts=arguments.hosts,
        rules=not arguments.no_rules,
        blocks=not arguments.no_data_plane and os.geteuid() == 0,
        public_key=arguments.public_key and arguments.public_key.read_text(),
        until_stdin_closes=arguments.until_stdin_closes,
        store_dir=arguments.store and arguments.store.resolve(),
    )


if __name__ == "__main__":
    main()
