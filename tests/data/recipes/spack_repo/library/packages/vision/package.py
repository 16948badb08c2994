from spack.package import PackageBase, depends_on, version


class Vision(PackageBase):
    version("0.25.0", sha256="0")
    version("0.15.1", sha256="0")
    depends_on("torch@2.10.0", when="@0.25.0")
    depends_on("torch@2.0.0", when="@0.15.1")
