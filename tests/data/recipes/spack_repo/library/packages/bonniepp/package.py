from spack.package import PackageBase, version


class Bonniepp(PackageBase):
    version("2.00a", sha256="0")
