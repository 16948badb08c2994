from spack.package import variant, version
from spack_repo.library.build_systems.accelerated import AcceleratedPackage


class Llvm(AcceleratedPackage):
    version("main", branch="main")
    version("16.0.6", sha256="0")
    variant("lldb", default=True)
    variant("python", default=False)
    variant("mlir", default=False, when="@17:")
