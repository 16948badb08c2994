from spack.package import Executable, InstallError, Package, depends_on, join_path, license, mkdirp, variant, version

PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
extern const char *toylib_version(void);
int main(void) {{
    printf("{name} {version} with toylib %s over ", toylib_version());
    fflush(stdout);
    return system("{toybase}/bin/toybase") != 0;
}}
"""


class Toyapp(Package):
    """Top of the chain: a program that needs toylib's shared library and calls toybase by its prefix."""

    homepage = "https://example.invalid/toyapp"
    has_code = False

    license("MIT")

    version("3.0")
    version("2.9")

    variant("gui", default=False, description="Add a second program")
    variant("mpi", default=False, description="Depend on an MPI")
    variant("slurm", default=False, description="Depend on Slurm")
    variant("fail", default=False, description="Fail in install(), for tests")

    depends_on("toylib+docs", when="+gui")
    depends_on("toylib")
    depends_on("toybase")
    depends_on("mpi", when="+mpi")
    depends_on("slurm", when="+slurm", type="run")

    def install(self, spec, prefix):
        if "+fail" in spec:
            raise InstallError("toyapp +fail was asked for")
        mkdirp(prefix.bin)
        for name in ["toyapp", "toyapp-gui"] if "+gui" in spec else ["toyapp"]:
            with open("toyapp.c", "w", encoding="utf-8") as out:
                out.write(PROGRAM.format(name=name, version=spec.version, toybase=spec["toybase"].prefix))
            library = spec["toylib"].prefix.lib
            Executable("gcc")("-o", join_path(prefix.bin, name), "toyapp.c", f"-L{library}", f"-Wl,-rpath,{library}", "-ltoylib")
