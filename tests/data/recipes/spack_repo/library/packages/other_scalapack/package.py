from spack.package import version
from spack_repo.library.packages.netlib_scalapack.package import NetlibScalapack


class OtherScalapack(NetlibScalapack):
    version("9.0", sha256="0")
