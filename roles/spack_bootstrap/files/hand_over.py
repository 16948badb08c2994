# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hand parts of the volume to the user who builds, and take all of it back: what builds runs strangers' scripts, so root keeps the rest.

usage: python3 hand_over.py give WHAT
       python3 hand_over.py take MOUNT_PATH SHARED_DIRECTORY...
WHAT is JSON: {"uid", "gid", "trees": [paths], "shared": {directory: [names]}, "forget": path}. The file to forget, if one is named, is
removed first. The trees become the builder's. A shared directory is root's, with room for the builder's files: what is in it becomes the
builder's, but for the names, which are root's and stay root's.
`take` gives everything on the volume to root, and closes the shared directories. Symbolic links are never followed.
Needs root. Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import json
import os
import stat
import sys

ROOT = (0, 0)
OPEN, CLOSED = 0o1775, 0o755  # sticky: in an open directory the builder cannot replace what is root's


def give(what):
    builder = (what["uid"], what["gid"])
    if os.path.lexists(what.get("forget", "")):
        os.remove(what["forget"])
    for directory, kept in what["shared"].items():
        if not os.path.isdir(directory) or os.path.islink(directory):
            continue
        # First of all, so that nobody else changes what is in it.
        own(directory, 0, builder[1])
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            if name in kept and os.path.islink(path):
                os.remove(path)
            else:
                to_owner(path, *(ROOT if name in kept else builder))
        os.chmod(directory, OPEN)
    for tree in what["trees"]:
        if os.path.lexists(tree):
            to_owner(tree, *builder)


def take(mount_path, *shared):
    to_owner(mount_path, *ROOT)
    for directory in shared:
        os.chmod(directory, CLOSED)


def to_owner(top, uid, gid):
    """Change whose a file, a link or a whole directory is, on its own file system."""
    own(top, uid, gid)
    if not stat.S_ISDIR(os.lstat(top).st_mode):
        return
    device = os.lstat(top).st_dev
    # By file descriptors: who swaps a directory for a link meanwhile leads nowhere.
    for _path, inner, names, folder in os.fwalk(top, follow_symlinks=False):
        for name in inner + names:
            own(name, uid, gid, folder)
        inner[:] = [name for name in inner if os.stat(name, dir_fd=folder, follow_symlinks=False).st_dev == device]


def own(path, uid, gid, folder=None):
    """Change whose one thing is, unless it is so already. The kernel takes set-uid bits and capabilities away."""
    found = os.stat(path, dir_fd=folder, follow_symlinks=False)
    if (found.st_uid, found.st_gid) != (uid, gid):
        os.chown(path, uid, gid, dir_fd=folder, follow_symlinks=False)


if __name__ == "__main__":
    give(json.loads(sys.argv[2])) if sys.argv[1] == "give" else take(*sys.argv[2:])
