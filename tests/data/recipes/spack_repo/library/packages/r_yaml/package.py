from spack.package import PackageBase, version


class RYaml(PackageBase):
    version("2.3", sha256="0")
