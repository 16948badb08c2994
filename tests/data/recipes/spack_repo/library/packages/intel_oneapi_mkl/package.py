from spack.package import PackageBase, provides, variant, version


class IntelOneapiMkl(PackageBase):
    provides("mkl")
    version("2025.3.0", sha256="0")
    variant("gfortran", default=False)
    variant("shared", default=True)
