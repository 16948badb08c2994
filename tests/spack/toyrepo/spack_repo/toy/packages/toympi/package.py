from spack.package import Package, join_path, mkdirp, provides, set_executable, version


class Toympi(Package):
    """Opens a level of a hierarchy of modules, as an MPI does."""

    homepage = "https://example.invalid/toympi"
    has_code = False

    version("1.0")

    provides("mpi")

    def install(self, spec, prefix):
        mkdirp(prefix.bin)
        script = join_path(prefix.bin, "toympi")
        with open(script, "w", encoding="utf-8") as out:
            out.write('#!/bin/sh\nexec "$@"\n')
        set_executable(script)
