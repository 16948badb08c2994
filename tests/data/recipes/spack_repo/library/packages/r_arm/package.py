from spack.package import PackageBase, version


class RArm(PackageBase):
    version("2.3", sha256="0")
