# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Powers this host off, which terminates it, once no build has made progress on it for too long.

    deadline.py HOURS

A timer runs it every few minutes, as root. A unit petal-build-* makes progress while it computes: that renews the deadline, so a long build
is not cut off in the middle. A build that hangs, or that has ended with nobody there to go on, does not renew it. Reads nothing but the
system's own accounts: no build has to know of it. Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import json
import os
import subprocess
import sys

STATE = os.environ.get("PETAL_DEADLINE_STATE", "/run/petal-deadline.json")
# Whoever is stopped by this finds the reason there.
REASON = os.environ.get("PETAL_DEADLINE_REASON", "/run/petal-deadline.reason")
BUILDS = "petal-build-*.service"
# The part of one core that a build computes at least. One that only waits, as for a lock, uses less.
LEAST_SHARE = 0.05


def renew(state, age, computed):
    """Return what is to be remembered after a look.

    state: what was remembered before: `progress` and `look`, seconds of the host's age, and `computed`.
    age: of the host now, in seconds. computed: of each build that runs, the seconds of computing so far; None where that is not counted.
    """
    least = LEAST_SHARE * (age - state["look"])
    before = state["computed"]
    # A unit that was not there, or begins to count anew, is a new build.
    alive = any(unit not in before or now is None or not 0 <= now - (before[unit] or 0) < least for unit, now in computed.items())
    return {"progress": age if alive else state["progress"], "look": age, "computed": computed}


def read_units(text):
    """Return what `systemctl show` prints of units as {unit: seconds of computing, or None}, those that run."""
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    return {one["Id"]: seconds(one.get("CPUUsageNSec", "")) for one in blocks if one.get("ActiveState") in ("active", "activating")}


def seconds(nanoseconds):
    # Systemd says "[not set]", or in old versions the largest number of 64 bits.
    return int(nanoseconds) / 1e9 if nanoseconds.isdigit() and int(nanoseconds) < 2**64 - 1 else None


def host_age():
    """Return for how many seconds this host has been up; in a container, the container. No change of the clock changes it."""
    with open("/proc/uptime") as file:
        uptime = float(file.read().split()[0])
    with open("/proc/1/stat") as file:
        started = int(file.read().rpartition(")")[2].split()[19])
    return uptime - started / os.sysconf("SC_CLK_TCK")


def running_builds():
    command = ["systemctl", "show", "--property=Id", "--property=ActiveState", "--property=CPUUsageNSec", BUILDS]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return read_units(answer.stdout)


def remembered():
    """Return what the last look left; where there is none, the host has been idle since it started."""
    try:
        with open(STATE) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {"progress": 0, "look": 0, "computed": {}}


def main(hours):
    state = renew(remembered(), host_age(), running_builds())
    with open(STATE, "w") as file:
        json.dump(state, file)
    if state["look"] - state["progress"] >= hours * 3600:
        with open(REASON, "w") as file:
            file.write(f"the host ended itself: no build has made progress on it for {hours:g} hours")
        subprocess.run(["systemctl", "poweroff"], check=True)


if __name__ == "__main__":
    main(float(sys.argv[1]))
