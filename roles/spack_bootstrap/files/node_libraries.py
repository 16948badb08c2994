# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find shared libraries that programs on the volume take from the build host, and that a node's image need not have. prove.py uses it.

usage: python3 node_libraries.py FILE   notes the packages of this host in FILE, unless they are noted already

A node has what the image has. The role notes the packages of the image before it adds those that a build needs; a library counts as the
node's when its package is among them. Without a note nothing was added. Runs on the Python of the build host: 3.6 or newer, standard
library only.
"""

import concurrent.futures.thread  # the module itself, now: where Python lies may be covered later
import os
import re
import shutil
import subprocess
import sys

MISSING = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)
FOUND = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x", re.MULTILINE)
# ldd starts the linker on the file: not as root.
LDD = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ldd"]


def output(*command):
    """Return what a command prints; nothing where it fails, as package managers do for a file of nobody's."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def look(paths):
    """Return {path: (missing, found)}: the names of libraries that a program or library does not find, the paths of those that it does."""
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return dict(pool.map(lambda path: (path, needed(path)), paths))


def needed(path):
    # Where libraries are missing ldd may fail and yet say which.
    listed = subprocess.run([*LDD, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode(errors="replace")
    return set(MISSING.findall(listed)), set(FOUND.findall(listed))


def installed():
    """Return the names of the host's packages; nothing where no package manager is known."""
    if shutil.which("dpkg-query"):
        return set(output("dpkg-query", "--show", "--showformat", "${Package}\n").split())
    return set(output("rpm", "--query", "--all", "--queryformat", "%{NAME}\n").split()) if shutil.which("rpm") else set()


def owners(path):
    """Return the packages to which a file belongs, under the name it is known by: /lib and /usr/lib may be one directory."""
    real = os.path.realpath(path)
    for name in (path, real, *(known[len("/usr") :] for known in (path, real) if known.startswith("/usr/"))):
        if shutil.which("dpkg-query"):
            # "libc6:amd64, other: /lib/…", and lines on diversions
            lines = [line for line in output("dpkg-query", "--search", name).splitlines() if not line.startswith("diversion by")]
            found = {package.split(":")[0].strip() for line in lines for package in line.rsplit(": ", 1)[0].split(",")}
        else:
            found = set(output("rpm", "--query", "--file", "--queryformat", "%{NAME}\n", name).split())
        if found:
            return found
    return set()


class Image:
    """What a node's image has of libraries.

    noted: the file with the names of the image's packages. own: directories on the image that belong to no package: the volume itself, and
    software of the image that was declared.
    """

    def __init__(self, noted, own):
        self.packages = read_names(noted) or installed()
        self.own = [directory.rstrip("/") + "/" for directory in own]
        self.known = {}

    def lacks(self, path):
        """Return why a node need not have a library; nothing where it has it."""
        if path not in self.known:
            self.known[path] = self.why_not(path)
        return self.known[path]

    def why_not(self, path):
        if any(path.startswith(directory) or os.path.realpath(path).startswith(directory) for directory in self.own):
            return ""
        if not self.packages:
            return ""
        found = owners(path)
        if not found:
            return "belongs to no package of the image"
        return "" if found & self.packages else "belongs to {}, which was installed for the build".format(" and ".join(sorted(found)))


def read_names(path):
    if not path or not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as names:
        return set(names.read().split())


def note(path):
    """Note the packages of the image, once: what is added later is not the image's."""
    if os.path.exists(path):
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as out:
        out.write("\n".join(sorted(installed())) + "\n")
        out.flush()
        os.fsync(out.fileno())
    os.replace(path + ".new", path)


if __name__ == "__main__":
    note(sys.argv[1])
