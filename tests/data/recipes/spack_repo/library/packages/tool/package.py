from spack.package import PackageBase, version


class Tool(PackageBase):
    version("1.4", sha256="0")
