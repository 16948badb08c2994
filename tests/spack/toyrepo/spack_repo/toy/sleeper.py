"""What the sleepers share: a build that costs time and nothing else."""

import os
import time

from spack.package import Package, join_path, mkdirp, set_executable, variant


class Sleeper(Package):
    """Sleeps for TOY_SLEEP seconds (1 when unset), or five times as long, then writes one script that says its name and version."""

    homepage = "https://example.invalid/sleeper"
    has_code = False

    variant("slow", default=False, description="Sleep long enough for the middle of a build to be seen")

    def install(self, spec, prefix):
        time.sleep(float(os.environ.get("TOY_SLEEP", "1")) * (5 if "+slow" in spec else 1))
        mkdirp(prefix.bin)
        script = join_path(prefix.bin, self.name)
        with open(script, "w", encoding="utf-8") as out:
            out.write(f"#!/bin/sh\necho {self.name} {spec.version}\n")
        set_executable(script)
