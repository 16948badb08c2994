# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prove that one tree of files is a copy of another.

usage: python3 prove_copy.py SOURCE COPY LIST

Names, kinds, modes, owners, times, hard and symbolic links and extended attributes must be those of SOURCE, and the content of every file
in COPY what LIST says, a path below both in the form of sha256sum, which names all files but itself.
Prints {"files": how many COPY has, "problems": the first of what is wrong}. Runs on the Python of the host: 3.6 or newer, standard
library only.
"""

import filecmp
import itertools
import json
import os
import stat
import subprocess
import sys

MOST_PROBLEMS = 10
# The policy of a host decides on this attribute; it is no part of what was built.
OF_THE_HOST = "security.selinux"
# ext4 makes it at the top of each file system.
OF_THE_FILE_SYSTEM = {"lost+found"}


def facts(path):
    """Return what has to be equal of a file, folder or link, by words for people."""
    found = os.lstat(path)
    described = {"mode": stat.filemode(found.st_mode), "owner": f"{found.st_uid}:{found.st_gid}", "time": found.st_mtime_ns}
    if not stat.S_ISDIR(found.st_mode):
        described.update(size=found.st_size, names=found.st_nlink)
    if stat.S_ISLNK(found.st_mode):
        described["target"] = os.readlink(path)
    attributes = sorted(name for name in os.listxattr(path, follow_symlinks=False) if name != OF_THE_HOST)
    described["attributes"] = {name: os.getxattr(path, name, follow_symlinks=False) for name in attributes}
    return described


def names_in(folder):
    return set(os.listdir(folder)) if os.path.isdir(folder) and not os.path.islink(folder) else set()


def differences(source, copy):
    """Yield a line for each path that is not in both, or not the same in both."""
    for folder, _subfolders, _names in os.walk(source):
        below = os.path.relpath(folder, source)
        here, there = names_in(folder), names_in(os.path.join(copy, below))
        for name in sorted((here ^ there) - (OF_THE_FILE_SYSTEM if folder == source else set())):
            yield f"{os.path.normpath(os.path.join(below, name))} is only in {source if name in here else copy}"
        for name in sorted(here & there):
            path = os.path.normpath(os.path.join(below, name))
            of_source, of_copy = facts(os.path.join(source, path)), facts(os.path.join(copy, path))
            other = [fact for fact in sorted(of_source.keys() | of_copy.keys()) if of_source.get(fact) != of_copy.get(fact)]
            if other:
                yield f"{path} has another {', '.join(other)}"


def count_files(top):
    return sum(stat.S_ISREG(os.lstat(os.path.join(folder, name)).st_mode) for folder, _subfolders, names in os.walk(top) for name in names)


def changed_content(source, copy, hashes, files):
    """Yield a line for each file of the copy whose content is not what the list says; files: how many there are."""
    if not os.path.exists(os.path.join(copy, hashes)) or not filecmp.cmp(
        os.path.join(source, hashes), os.path.join(copy, hashes), shallow=False
    ):
        yield f"{hashes} is another one"
        return
    with open(os.path.join(copy, hashes), "rb") as lines:
        listed = sum(not line.startswith(b"#") for line in lines)
    if listed != files - 1:
        yield f"{hashes} names {listed} of {files - 1} files"
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", hashes], cwd=copy, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if checked.returncode != 0:
        yield from os.fsdecode(checked.stdout).splitlines()


def main(source, copy, hashes):
    files = count_files(copy)
    problems = itertools.chain(differences(source, copy), changed_content(source, copy, hashes, files))
    json.dump({"files": files, "problems": list(itertools.islice(problems, MOST_PROBLEMS))}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
