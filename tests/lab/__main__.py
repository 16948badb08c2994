"""python -m tests.lab: a stand-in for AWS on this machine, with real hosts and block devices.

start --name N [--no-hosts]   start a lab in the background, or find it running; prints a line of JSON that says where it is
stop --name N                 stop it and remove everything it made
status                        the labs there are, one line of JSON each
clean [--all]                 remove what dead labs left behind; with --all also stop the running ones
image                         build the hosts' root file system, or find it in the cache; prints its folder
check                         what this machine lacks to run hosts, one line each
"""

from __future__ import annotations

import argparse
import json
import sys

from . import control, image, places


def start(options: argparse.Namespace) -> int:
    variables = control.start(options.name, hosts=not options.no_hosts)
    state = places.state(options.name)
    files = {what: str(state / what) for what in ("vars.json", "environment", "ssh_config", "server.log")}
    print(json.dumps({"name": options.name, "endpoint": variables["lab_endpoint"], "state_dir": str(state), **files}))
    return 0


def stop(options: argparse.Namespace) -> int:
    return _print_removed(control.stop(options.name))


def status(options: argparse.Namespace) -> int:
    for lab in control.status():
        print(json.dumps(lab))
    return 0


def clean(options: argparse.Namespace) -> int:
    return _print_removed(control.clean(running_too=options.all))


def build_image(options: argparse.Namespace) -> int:
    print(image.ensure())
    return 0


def check(options: argparse.Namespace) -> int:
    lines = control.missing()
    print("\n".join(lines or ["Everything is there that hosts need."]))
    return 1 if lines else 0


def _print_removed(removed: list[str]) -> int:
    print("\n".join(f"removed {line}" for line in removed) or "Nothing to remove.")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, function in {
        "start": start, "stop": stop, "status": status, "clean": clean, "image": build_image, "check": check,
    }.items():  # fmt: skip
        command = commands.add_parser(name)
        command.set_defaults(function=function)
        if name in ("start", "stop"):
            command.add_argument("--name", required=True)
        if name == "start":
            command.add_argument("--no-hosts", action="store_true", help="only the API: needs neither root nor Debian packages")
        if name == "clean":
            command.add_argument("--all", action="store_true", help="also stop labs that run")
    options = parser.parse_args()
    try:
        return options.function(options)
    except (control.LabError, image.ImageError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
