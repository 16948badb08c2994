from spack.package import PackageBase, variant, version


class Hdf5(PackageBase):
    version("1.14.5", sha256="0")
    version("1.10.2", sha256="0", deprecated=True)
    variant("mpi", default=True)
    variant("hl", default=False)
    variant("build_type", default="Release", values=("Release", "Debug"))
    variant("api", default="default", values=("default", "v110", "v18"))
    variant("Solve_2D", default=False)
