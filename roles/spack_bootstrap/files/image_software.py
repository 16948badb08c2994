# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Say which versions of software the image of this host has.

usage: python3 image_software.py WANTED   prints WANTED as JSON, each with `found`, the version that is there; empty for none
WANTED is JSON: [{"name", "version", "prefix", "version_from"}], see _core/software/image_software.py. prove.py uses it too.
Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import json
import os
import re
import subprocess
import sys

NUMBER = re.compile(r"\d+(?:\.\d+)+")


def look(wanted):
    return [dict(software, found=version(software["prefix"], software["version_from"])) for software in wanted]


def version(prefix, version_from):
    """Return the version of what lies in a prefix: 1.22.0 also where a vendor adds letters, as in 1.22.0amzn1.0."""
    told = said(os.path.join(prefix, version_from)) if " " in version_from else noted(prefix, version_from)
    number = NUMBER.search(told)
    return number.group() if number else ""


def said(command):
    try:
        done = subprocess.run(command.split(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
    except OSError:
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def noted(prefix, file):
    """Return the version that a file of pkg-config notes."""
    for directory in ("lib64", "lib"):
        path = os.path.join(prefix, directory, "pkgconfig", file)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as lines:
                return "".join(line for line in lines if line.startswith("Version:"))
    return ""


if __name__ == "__main__":
    print(json.dumps(look(json.loads(sys.argv[1]))))
