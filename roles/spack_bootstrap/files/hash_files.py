# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write down the SHA-256 of every file on the software volume.

usage: python3 hash_files.py [--check] MOUNT_PATH LIST [FILE...]

LIST is written in the form of sha256sum, sorted by path: `cd MOUNT_PATH && sha256sum --check --quiet LIST` names every file that has
changed.
Symbolic links stand in it as comments, "# link PATH -> TARGET". LIST itself, and what is on other file systems, is left out.
Prints {"changed": whether LIST is another one than before, "hashes": {path: "sha256:…"}} for LIST and each FILE. The hash of LIST
stands for all that is on the volume.
With --check nothing is written: the hash of LIST is that of the list as it has to be now.
Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import hashlib
import json
import multiprocessing
import os
import stat
import sys

BLOCK_BYTES = 1024 * 1024


def paths_below(top):
    """Yield (path from the top, mode) of each file and link on the top's own file system."""
    device = os.stat(top).st_dev
    for folder, subfolders, names in os.walk(top):
        links = [name for name in subfolders if os.path.islink(os.path.join(folder, name))]
        subfolders[:] = [name for name in subfolders if name not in links and os.lstat(os.path.join(folder, name)).st_dev == device]
        for name in names + links:
            path = os.path.join(folder, name)
            yield os.path.relpath(path, top), os.lstat(path).st_mode


def digest(path):
    found = hashlib.sha256()
    with open(path, "rb") as content:
        for block in iter(lambda: content.read(BLOCK_BYTES), b""):
            found.update(block)
    return found.hexdigest()


def line(path):
    """Return a file's line as sha256sum writes it, which marks a line in which it escapes something with a backslash."""
    escaped = path.replace("\\", "\\\\").replace("\n", "\\n")
    return ("\\" if escaped != path else "") + digest(path) + "  " + escaped


def listed(top, left_out):
    """Return the text of the list. The top has to be the working directory."""
    found = sorted((path, mode) for path, mode in paths_below(top) if path != left_out)
    files = [path for path, mode in found if stat.S_ISREG(mode)]
    links = [path for path, mode in found if stat.S_ISLNK(mode)]
    with multiprocessing.get_context("fork").Pool() as pool:
        lines = pool.map(line, files, chunksize=64)
    lines += [f"# link {path} -> {os.readlink(path)}".replace("\n", "\\n") for path in links]
    return "".join(text + "\n" for text in lines)


def write(path, text):
    """Replace a file at once, its owner that of the folder."""
    folder = os.stat(os.path.dirname(path))
    with open(path + ".new", "wb") as new:
        new.write(os.fsencode(text))
        os.fchown(new.fileno(), folder.st_uid, folder.st_gid)
    os.replace(path + ".new", path)


def is_as_written(path, text):
    """Say whether a file holds that text."""
    if not os.path.exists(path):
        return False
    with open(path, "rb") as known:
        return known.read() == os.fsencode(text)


def main(check, top, target, *files):
    os.chdir(top)
    text = listed(top, os.path.relpath(target, top))
    changed = not is_as_written(target, text)
    if changed and not check:
        write(target, text)
    hashes = {path: "sha256:" + digest(path) for path in files}
    hashes[target] = "sha256:" + hashlib.sha256(os.fsencode(text)).hexdigest()
    json.dump({"changed": changed, "hashes": hashes}, sys.stdout, sort_keys=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(given[0] == "--check", *[argument for argument in given if argument != "--check"])
