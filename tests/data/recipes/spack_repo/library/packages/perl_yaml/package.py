from spack.package import PackageBase, version


class PerlYaml(PackageBase):
    version("2.3", sha256="0")
