# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names that are no package: which package each means, as far as Spack and its recipes say so themselves."""

from __future__ import annotations

# What Spack itself takes for a virtual package, the first one first.
# Source: Spack 1.2, etc/spack/defaults/base/packages.yaml, `packages: all: providers`; without those that are a package with a variant.
DEFAULT_PROVIDERS: dict[str, tuple[str, ...]] = {
    "armci": ("armcimpi",),
    "awk": ("gawk",),
    "blas": ("openblas",),
    "c": ("gcc", "llvm", "intel-oneapi-compilers"),
    "cuda-lang": ("cuda",),
    "cxx": ("gcc", "llvm", "intel-oneapi-compilers"),
    "daal": ("intel-oneapi-daal",),
    "elf": ("elfutils",),
    "fftw-api": ("fftw", "amdfftw"),
    "flame": ("libflame", "amdlibflame"),
    "fortran": ("gcc", "llvm", "intel-oneapi-compilers"),
    "fortran-rt": ("gcc-runtime", "intel-oneapi-runtime"),
    "fuse": ("libfuse",),
    "gl": ("glx", "osmesa"),
    "glu": ("mesa-glu", "openglu"),
    "go-or-gccgo-bootstrap": ("go-bootstrap", "gcc"),
    "golang": ("go", "gcc"),
    "hip-lang": ("llvm-amdgpu",),
    "iconv": ("libiconv",),
    "ipp": ("intel-oneapi-ipp",),
    "java": ("openjdk", "jdk"),
    "jpeg": ("libjpeg-turbo", "libjpeg"),
    "lapack": ("openblas",),
    "libc": ("glibc", "musl"),
    "libgfortran": ("gcc-runtime",),
    "libifcore": ("intel-oneapi-runtime",),
    "libllvm": ("llvm",),
    "lua-lang": ("lua", "lua-luajit-openresty", "lua-luajit"),
    "luajit": ("lua-luajit-openresty", "lua-luajit"),
    "mariadb-client": ("mariadb-c-client", "mariadb"),
    "mkl": ("intel-oneapi-mkl",),
    "mpe": ("mpe2",),
    "mpi": ("openmpi", "mpich"),
    "mysql-client": ("mysql", "mariadb-c-client"),
    "onedal": ("intel-oneapi-dal",),
    "opencl": ("pocl",),
    "pbs": ("openpbs", "torque"),
    "pil": ("py-pillow",),
    "pkgconfig": ("pkgconf", "pkg-config"),
    "qmake": ("qt-base", "qt"),
    "rpc": ("libtirpc",),
    "scalapack": ("netlib-scalapack", "amdscalapack"),
    "sycl": ("hipsycl",),
    "szip": ("libaec", "libszip"),
    "tbb": ("intel-tbb",),
    "unwind": ("libunwind",),
    "uuid": ("util-linux-uuid", "libuuid"),
    "wasi-sdk": ("wasi-sdk-prebuilt",),
    "xkbdata-api": ("xkeyboard-config", "xkbdata"),
    "xxd": ("xxd-standalone", "vim"),
    "yacc": ("bison", "byacc"),
    "ziglang": ("zig",),
}

# Names that Spack still takes after %, and nowhere else. Source: Spack 1.2, lib/spack/spack/aliases.py.
COMPILERS = {
    "clang": "llvm",
    "oneapi": "intel-oneapi-compilers",
    "intel": "intel-oneapi-compilers-classic",
    "rocmcc": "llvm-amdgpu",
    "arm": "acfl",
}

# Recipes that have gone, by those that their maintainers name in their place, and projects whose recipe has another name.
RENAMED = {
    "intel-daal": "intel-oneapi-dal",  # github.com/spack/spack/pull/41488
    "intel-ipp": "intel-oneapi-ipp",  # github.com/spack/spack/pull/41488
    "intel-mkl": "intel-oneapi-mkl",  # github.com/spack/spack/pull/41488
    "intel-mpi": "intel-oneapi-mpi",  # github.com/spack/spack/pull/41322
    "perf": "linux-perf",  # packages/linux_perf/package.py installs the program perf
    "pnetcdf": "parallel-netcdf",  # packages/parallel_netcdf/package.py, url
    "pytorch": "py-torch",  # packages/py_torch/package.py, homepage and git
}

# Variants that have gone: since no recipe supports Python 2 any more, those for Python 3 are called as the others were.
RENAMED_VARIANTS = {"python3": "python"}

# How recipes call the packages of a language that has a place for packages of its own.
LANGUAGES = ("py-", "r-", "perl-")
