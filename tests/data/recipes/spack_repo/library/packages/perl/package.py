from spack.package import PackageBase, version


class Perl(PackageBase):
    version("5.42.0", sha256="0")
    version("5.40.2", sha256="0")
    version("5.39.10", sha256="0")
