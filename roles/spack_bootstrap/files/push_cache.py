# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Copy finished packages from the volume's build cache to another one, a directory or S3, while the build goes on. build.py uses it.

Not by Spack itself: a push of Spack's that fails makes the package fail that it should save. Here a failure is a note in the status.
In a cache of Spack's, manifests name blobs, so a package is there for readers once its manifest is: blobs go first.
Runs on the Python of the build host: 3.6 or newer, standard library only; S3 needs boto3.
"""

import os
import shutil
import threading
import time

INTERVAL = 5


class Pusher:
    """Copies what is new every few seconds, until it is stopped; `problem` says why something could not be copied, or nothing."""

    def __init__(self, source, url, endpoint_url=None, interval=INTERVAL):
        self.source, self.url, self.endpoint_url, self.interval = source, url, endpoint_url, interval
        self.pushed, self.problem, self.destination = {}, "", None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        """Copy the rest."""
        self.ended.set()
        self.thread.join()

    def run(self):
        while not self.ended.wait(self.interval):
            self.push()
        self.push()

    def push(self):
        try:
            self.destination = self.destination or destination(self.url, self.endpoint_url)
            for name, state in self.new_files().items():
                self.destination.put(os.path.join(self.source, name), name)
                self.pushed[name] = state
            self.problem = ""
        # Whatever it is, the build matters more; the next round tries again.
        except Exception as problem:  # pylint: disable=broad-except
            self.problem = f"{type(problem).__name__}: {problem}"

    def new_files(self):
        """Return {name: (size, time)} of files that are not there as they are now; blobs first, then the manifests that name them."""
        found = {}
        for directory, _subdirectories, names in os.walk(self.source):
            for path in (os.path.join(directory, name) for name in names):
                state = os.stat(path)
                # A file that is still being written is left for the next round.
                if self.ended.is_set() or time.time() - state.st_mtime >= self.interval:
                    found[os.path.relpath(path, self.source)] = (state.st_size, state.st_mtime)
        fresh = [name for name in found if self.pushed.get(name) != found[name]]
        return {name: found[name] for name in sorted(fresh, key=lambda name: (not name.startswith("blobs/"), name))}


def destination(url, endpoint_url):
    return Bucket(url, endpoint_url) if url.startswith("s3://") else Directory(url)


class Directory:
    def __init__(self, url):
        self.path = url[len("file://") :] if url.startswith("file://") else url

    def put(self, source, name):
        """Write a whole file or none."""
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(source, path + ".new")
        os.replace(path + ".new", path)


class Bucket:
    def __init__(self, url, endpoint_url):
        import boto3

        self.bucket, _slash, self.prefix = url[len("s3://") :].partition("/")
        self.client = boto3.client("s3", endpoint_url=endpoint_url or None)

    def put(self, source, name):
        self.client.upload_file(source, self.bucket, "/".join(filter(None, [self.prefix.strip("/"), name])))
