from spack.package import InstallError, Package, variant, version


class Slurm(Package):
    """Only there to be taken from the image of a host."""

    homepage = "https://example.invalid/slurm"
    has_code = False

    version("24-05-8-1")

    variant("pmix", default=False, description="Start tasks through PMIx")

    def install(self, spec, prefix):
        raise InstallError("slurm is on the image and must not be built")
