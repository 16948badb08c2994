#!/usr/bin/python3
"""A read-only NFSv4 client in user space, for machines whose kernel has none: FUSE in front, libnfs behind.

Installed as /sbin/mount.fuse.petal-nfs it is what `mount -t fuse.petal-nfs SERVER:/PATH MOUNT_POINT` runs. It returns
when the file system is mounted, and serves it from the background until it is unmounted.
Needs libnfs13, libfuse3, the Python module mfusepy, and /dev/fuse. Runs on the hosts, alone: it imports nothing of the lab.
"""

import ctypes
import errno
import functools
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_uint64, c_void_p

import mfusepy

libnfs = ctypes.CDLL("libnfs.so.13")
# ERANGE is libnfs's word for the NFSv4 errors that POSIX does not know, a lost lease among them; EIO is that for a lost connection.
LOST = (errno.ERANGE, errno.EIO)
CACHE_SECONDS = 60  # nobody writes to an export of software


class Attributes(ctypes.Structure):
    """struct nfs_stat_64 of libnfs.h."""

    _names = "dev ino mode nlink uid gid rdev size blksize blocks atime mtime ctime atime_nsec mtime_nsec ctime_nsec used"
    _fields_ = [(name, c_uint64) for name in _names.split()]


class DirectoryEntry(ctypes.Structure):
    """The beginning of struct nfsdirent of libnfs.h."""

    _fields_ = [("next", c_void_p), ("name", c_char_p)]


libnfs.nfs_init_context.restype = c_void_p
libnfs.nfs_destroy_context.argtypes = [c_void_p]
libnfs.nfs_destroy_context.restype = None
libnfs.nfs_get_error.restype = c_char_p
libnfs.nfs_get_error.argtypes = [c_void_p]
libnfs.nfs_set_version.argtypes = [c_void_p, c_int]
libnfs.nfs_mount.argtypes = [c_void_p, c_char_p, c_char_p]
libnfs.nfs_lstat64.argtypes = [c_void_p, c_char_p, POINTER(Attributes)]
libnfs.nfs_opendir.argtypes = [c_void_p, c_char_p, POINTER(c_void_p)]
libnfs.nfs_readdir.argtypes = [c_void_p, c_void_p]
libnfs.nfs_readdir.restype = POINTER(DirectoryEntry)
libnfs.nfs_closedir.argtypes = [c_void_p, c_void_p]
libnfs.nfs_closedir.restype = None
libnfs.nfs_readlink.argtypes = [c_void_p, c_char_p, c_char_p, c_int]
libnfs.nfs_open.argtypes = [c_void_p, c_char_p, c_int, POINTER(c_void_p)]
libnfs.nfs_pread.argtypes = [c_void_p, c_void_p, c_uint64, c_uint64, c_char_p]
libnfs.nfs_close.argtypes = [c_void_p, c_void_p]


def reconnecting(method):
    """Let a method of NfsExport connect again, and ask again, when the server does not know us any more."""

    @functools.wraps(method)
    def asked_twice(self, *arguments):
        try:
            return method(self, *arguments)
        except mfusepy.FuseOSError as error:
            if error.errno not in LOST:
                raise
            self.connect()
            return method(self, *arguments)

    return asked_twice


class NfsExport(mfusepy.Operations):
    """One export, as FUSE asks for it, one question at a time; paths begin at the export.

    An NFSv4 server forgets a client that has been silent for a minute, and then answers no more questions about its open
    files. So we can connect again at any time, and open files again as they are read.
    """

    use_ns = True  # times in nanoseconds

    def __init__(self, server: str, path: str) -> None:
        self._server, self._path = server, path
        self._context = None
        self.connect()

    def connect(self) -> None:
        """Start a new session with the server; all files are closed then."""
        self._open_files: dict[str, int] = {}
        if self._context:
            libnfs.nfs_destroy_context(self._context)
        self._context = libnfs.nfs_init_context()
        libnfs.nfs_set_version(self._context, 4)
        if libnfs.nfs_mount(self._context, self._server.encode(), self._path.encode()) != 0:
            print(f"{self._server}:{self._path}: {libnfs.nfs_get_error(self._context).decode()}", file=sys.stderr)
            raise mfusepy.FuseOSError(errno.EIO)

    def _call(self, function, *arguments) -> int:
        result = function(self._context, *arguments)
        if result < 0:
            raise mfusepy.FuseOSError(-result)
        return result

    def _open(self, path: str) -> int:
        if path not in self._open_files:
            file = c_void_p()
            self._call(libnfs.nfs_open, path.encode(), os.O_RDONLY, byref(file))
            self._open_files[path] = file.value
        return self._open_files[path]

    @reconnecting
    def open(self, path: str, flags: int) -> int:
        if flags & os.O_ACCMODE != os.O_RDONLY:
            raise mfusepy.FuseOSError(errno.EROFS)
        self._open(path)
        return 0

    @reconnecting
    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        buffer = ctypes.create_string_buffer(size)
        count = self._call(libnfs.nfs_pread, self._open(path), offset, size, buffer)
        return buffer.raw[:count]

    def release(self, path: str, fh: int) -> int:
        file = self._open_files.pop(path, None)  # if others have it open, their next read opens it again
        if file:
            libnfs.nfs_close(self._context, file)
        return 0

    @reconnecting
    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        found = Attributes()
        self._call(libnfs.nfs_lstat64, path.encode(), byref(found))
        same = {f"st_{name}": getattr(found, name) for name in ("mode", "nlink", "uid", "gid", "size", "ino", "blocks")}
        times = {f"st_{name}": getattr(found, name) * 10**9 + getattr(found, f"{name}_nsec") for name in ("atime", "mtime", "ctime")}
        return same | times

    @reconnecting
    def readdir(self, path: str, fh: int) -> list[str]:
        directory = c_void_p()
        self._call(libnfs.nfs_opendir, path.encode(), byref(directory))
        names = []
        while entry := libnfs.nfs_readdir(self._context, directory):
            names.append(os.fsdecode(entry.contents.name))
        libnfs.nfs_closedir(self._context, directory)
        return names

    @reconnecting
    def readlink(self, path: str) -> str:
        target = ctypes.create_string_buffer(4096)
        self._call(libnfs.nfs_readlink, path.encode(), target, len(target))
        # libnfs 4.0 may leave bytes of the network message behind the target.
        return os.fsdecode(target.raw[: self.getattr(path)["st_size"]])


def main() -> None:
    if len(sys.argv) < 3 or ":" not in sys.argv[1]:
        raise SystemExit("usage: mount.fuse.petal-nfs SERVER:/PATH MOUNT_POINT [options of mount, which are ignored: it is read-only]")
    source, mount_point = sys.argv[1:3]
    server, _, path = source.partition(":")
    mfusepy.FUSE(
        NfsExport(server, path),
        mount_point,
        # libnfs talks to the server in one thread.
        nothreads=True,
        ro=True,
        allow_other=True,
        default_permissions=True,
        fsname=source,
        subtype="petal-nfs",
        attr_timeout=CACHE_SECONDS,
        entry_timeout=CACHE_SECONDS,
    )


if __name__ == "__main__":
    main()
