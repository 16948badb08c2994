# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write what is finished through to the disk while a build goes on. build.py uses it.

A host that is taken away loses what its kernel has not written yet: half a minute of it as a rule. The volume stays, and should hold every
package that the log calls finished. Builds are staged on another disk, so there is little to write at a time.
Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import os
import subprocess
import threading

INTERVAL = 2


class VolumeSync:
    """Within this context the file system is written through whenever the log has grown, at most every few seconds, and in the end."""

    def __init__(self, path, log, interval=INTERVAL):
        self.path, self.log, self.interval, self.seen = path, log, interval, -1
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.sync()
        self.thread.start()
        return self

    def __exit__(self, *_problem):
        self.ended.set()
        self.thread.join()
        self.sync()

    def run(self):
        while not self.ended.wait(self.interval):
            self.sync()

    def sync(self):
        size = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        if size != self.seen:
            self.seen = size
            # This file system alone: the one of the stage has much to write that nobody will miss.
            subprocess.run(["sync", "--file-system", self.path], check=False)
