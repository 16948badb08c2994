from spack.package import PackageBase, version


class PyMultiqc(PackageBase):
    version("1.15", sha256="0")
