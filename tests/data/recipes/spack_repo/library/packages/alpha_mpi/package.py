from spack.package import PackageBase, provides, version


class AlphaMpi(PackageBase):
    """The first by the alphabet that provides MPI."""

    provides("mpi@3.1", "fabric")
    version("3", sha256="0")
