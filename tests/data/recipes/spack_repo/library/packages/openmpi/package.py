from spack.package import PackageBase, depends_on, disjoint_sets, provides, variant, version


class Openmpi(PackageBase):
    provides("mpi")
    version("5.0.3", sha256="0")
    version("4.1.6", sha256="0")
    variant("fabrics", default="none", values=disjoint_sets(("auto",), ("ofi", "ucx")).with_default("auto"))
    depends_on("c", type="build")
