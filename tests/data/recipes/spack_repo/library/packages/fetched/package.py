from elsewhere import versions_of_the_day
from spack.package import PackageBase, version


class Fetched(PackageBase):
    for known in versions_of_the_day():
        version(known)
