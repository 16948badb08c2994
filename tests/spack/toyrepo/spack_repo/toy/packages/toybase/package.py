from spack.package import Package, join_path, mkdirp, set_executable, version


class Toybase(Package):
    """Bottom of the chain: a script, and no sources."""

    homepage = "https://example.invalid/toybase"
    has_code = False

    version("1.1")
    version("1.0")

    def install(self, spec, prefix):
        mkdirp(prefix.bin)
        script = join_path(prefix.bin, "toybase")
        with open(script, "w", encoding="utf-8") as out:
            out.write(f"#!/bin/sh\necho toybase {spec.version}\n")
        set_executable(script)
