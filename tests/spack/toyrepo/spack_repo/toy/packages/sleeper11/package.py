from spack.package import version
from spack_repo.toy.sleeper import Sleeper


class Sleeper11(Sleeper):
    """One of twelve packages that need nothing from each other."""

    version("1.0")
