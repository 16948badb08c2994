import os

from spack.package import Executable, Package, depends_on, install, join_path, mkdirp, variant, version


class Toylib(Package):
    """Middle of the chain: a shared library, compiled from a source file that is fetched and checked."""

    homepage = "https://example.invalid/toylib"

    version(
        "2.0",
        url=f"file://{os.path.dirname(os.path.realpath(__file__))}/toylib.c",
        sha256="305dfe98a153e98b9d6da2c36cb6845389537830647f7567f4dca828a9252dab",
        expand=False,
    )

    variant("docs", default=False, description="Keep the source beside the library")

    depends_on("toybase@1.0:")

    def install(self, spec, prefix):
        mkdirp(prefix.lib)
        library = join_path(prefix.lib, "libtoylib.so")
        Executable("gcc")("-shared", "-fPIC", "-o", library, "toylib.c")
        if "+docs" in spec:
            mkdirp(prefix.share)
            install("toylib.c", prefix.share)
