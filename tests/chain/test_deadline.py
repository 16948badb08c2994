"""A real host with a real unit: a living build renews the deadline, survives a compiler without memory, and a host without one ends."""

import time

import pytest

from tests.chain.test_host_keys import BUILD, LAUNCH, run
from tests.lab.fixtures import lab_hosts  # noqa: F401
from tests.unit.roles.test_build_unit import start_of_a_build

pytestmark = pytest.mark.hosts


PROGRAM = "python3 /usr/local/sbin/petal-deadline"
USE = {
    "hosts": "builder",
    "gather_facts": False,
    "become": True,
    "tasks": [
        {"wait_for_connection": {"timeout": 60, "sleep": 1}},
        {"command": "systemctl is-active petal-deadline.timer", "register": "timer", "until": "timer.rc == 0", "retries": 10, "delay": 1},
        {"copy": {"dest": "/tmp/build.py", "content": "while True: pass\n"}},
        {
            "shell": start_of_a_build(),
            "environment": {
                **dict.fromkeys(("OWNER", "GROUP"), "ubuntu"),
                **{"UNIT": "petal-build-ab12", "MOUNT_PATH": "/shared", "PROGRAM": "/tmp/build.py", "SETTINGS": "-", "LOG": "/tmp/log"},
            },
        },
        {"command": "systemctl show --property=OOMPolicy --property=ActiveState petal-build-ab12", "register": "unit"},
        {"debug": {"msg": "unit: {{ unit.stdout_lines | sort | join(' ') }}"}},
        # Two seconds are the deadline here.
        {"shell": f"for _ in 1 2 3 4; do sleep 1; {PROGRAM} 0.00055; done; test ! -e /run/petal-deadline.reason"},
        {"debug": {"msg": "the living build has renewed the deadline"}},
        # Not as a part of the connection, which would hang when the host is gone.
        {"shell": f"nohup sh -c 'systemctl stop petal-build-ab12; sleep 3; {PROGRAM} 0.00055' > /dev/null 2>&1 &"},
    ],
}


def test_a_host_lives_as_long_as_its_build_and_then_ends_at_the_deadline(lab_hosts, tmp_path):  # noqa: F811
    used = run(lab_hosts, tmp_path, LAUNCH, USE)
    text = used.stdout + used.stderr
    assert "unit: ActiveState=active OOMPolicy=continue" in text, text
    assert "the living build has renewed the deadline" in text, text
    filters = [
        {"Name": "tag:petal:build-id", "Values": [BUILD["build_host_build_id"]]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    deadline = time.monotonic() + 60
    while lab_hosts.client("ec2").describe_instances(Filters=filters)["Reservations"]:
        assert time.monotonic() < deadline, f"the host lives on:\n{text}"
        time.sleep(1)
