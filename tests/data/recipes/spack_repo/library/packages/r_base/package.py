from spack.package import PackageBase, version


class RBase(PackageBase):
    version("2.3", sha256="0")
