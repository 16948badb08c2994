from spack.package import PackageBase, depends_on, variant, version


class Torch(PackageBase):
    version("2.10.0", sha256="0")
    version("2.0.0", sha256="0", deprecated=True)
    variant("old", default=False)
    depends_on("tool@1", type="build")
    depends_on("tool@2", type="test")
    depends_on("tool@3", when="+old")
