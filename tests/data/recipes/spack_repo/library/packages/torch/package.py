from spack.package import conflicts, depends_on, variant, version
from spack_repo.library.build_systems.accelerated import AcceleratedPackage


class Torch(AcceleratedPackage):
    version("2.10.0", sha256="0")
    version("2.0.0", sha256="0", deprecated=True)
    variant("old", default=False)
    variant("gui", default=False)
    variant("x11", default=False)
    depends_on("tool@1", type="build")
    depends_on("tool@2", type="test")
    depends_on("tool@3", when="+old")
    conflicts("cuda_arch=none", when="+cuda", msg="Say for which GPUs")
    conflicts("+gui", when="~x11")
    conflicts("+x11", "@:2.10")
    conflicts("+x11", "^openmpi@4")
    conflicts("openmpi@4:")
