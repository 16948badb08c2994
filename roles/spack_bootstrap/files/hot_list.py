# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which files of a volume are read by what is done with it: the kernel forgets their content first, and is asked for what it has again.

Neither the volume nor the programs that read it notice. Needs root, or files of one's own: others' are not told since Linux 5.2.
Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import ctypes
import mmap
import os
import subprocess

# What we keep about the volume is not what its users read.
OURS = ".petal"


def forget(root):
    """Have the kernel drop what it keeps of the files below `root`."""
    # What is not written yet is kept.
    subprocess.run(["sync", "--file-system", root], check=True)
    for path in files(root):
        with open(path, "rb") as content:
            os.posix_fadvise(content.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_since(root):
    """Return the files below `root`, relative to it, of which the kernel keeps something."""
    return [os.path.relpath(path, root) for path in files(root) if is_kept(path)]


def files(root):
    """Yield every regular file that is not empty, and not ours, in a fixed order."""
    for inside, subdirectories, names in os.walk(root):
        subdirectories[:] = sorted(name for name in subdirectories if (inside, name) != (root, OURS))
        for path in (os.path.join(inside, name) for name in sorted(names)):
            # The list has a path a line.
            if "\n" not in path and not os.path.islink(path) and os.path.isfile(path) and os.path.getsize(path):
                yield path


def is_kept(path):
    """Say whether any page of a file is in memory; asking reads nothing of it."""
    with open(path, "rb") as content, mmap.mmap(content.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        pages = (ctypes.c_ubyte * (-(-len(mapped) // mmap.PAGESIZE)))()
        start = ctypes.c_char.from_buffer(mapped)
        failed = ctypes.CDLL(None, use_errno=True).mincore(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(len(mapped)), pages)
        del start  # else the map cannot be closed
    return not failed and any(page & 1 for page in pages)
