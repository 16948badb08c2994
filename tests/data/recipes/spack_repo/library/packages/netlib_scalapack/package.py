from spack.package import PackageBase, license, provides, version


class NetlibScalapack(PackageBase):
    provides("scalapack")
    license("BSD-3-Clause")
    version("2.2.2", sha256="0")
    version("2.2.0", sha256="0")
