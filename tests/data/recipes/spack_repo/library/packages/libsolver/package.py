from spack.package import PackageBase, variant, version


class Libsolver(PackageBase):
    version("1.0-rc1", sha256="0")
    version("0.7", sha256="0")
    variant("conda", default=False)
    variant("intel-mkl", default=False)
