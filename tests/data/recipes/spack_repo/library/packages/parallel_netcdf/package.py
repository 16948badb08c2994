from spack.package import PackageBase, version


class ParallelNetcdf(PackageBase):
    url = "https://example.org/Release/pnetcdf-1.12.3.tar.gz"
    version("1.12.3", sha256="0")
