import platform

from spack.package import PackageBase, version

_versions = {"12.4.1": {"Linux-x86_64": "0"}, "11.8.0": {"Linux-x86_64": "0"}}


class Cudart(PackageBase):
    for ver, packages in _versions.items():
        key = f"{platform.system()}-{platform.machine()}"
        if packages.get(key):
            version(ver, sha256=packages[key])
