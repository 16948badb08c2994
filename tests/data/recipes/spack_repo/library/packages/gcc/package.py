from spack.package import PackageBase, default_args, provides, variant, version


class Gcc(PackageBase):
    homepage = "https://gcc.example.org"

    provides("c", "cxx", when="languages=c,c++")
    version("12.1.0", sha256="0")
    version("11.5.0", sha256="0")
    with default_args(deprecated=True):
        version("11.3.0", sha256="0")
    variant("languages", default="c,c++", values=("c", "c++", "fortran"), multi=True)
    variant("build_type", default="Release", values=("Release", "Debug"))
