import os
import shutil

from spack.package import Package, license, version

HOSTS_OWN = "/usr/share/lmod/lmod"


class Lmod(Package):
    """The Lmod of the host, copied and told where it lies now. It stands for one that is built, which takes Lua and a network."""

    homepage = "https://example.invalid/lmod"
    has_code = False

    license("MIT")

    version("8.6")

    def install(self, spec, prefix):
        source, destination = os.path.realpath(HOSTS_OWN), os.path.join(prefix, "lmod", "lmod")
        shutil.copytree(source, destination)
        for directory, _subdirectories, names in os.walk(destination):
            for path in (os.path.join(directory, name) for name in names):
                with open(path, "rb") as found:
                    text = found.read()
                with open(path, "wb") as moved:
                    moved.write(text.replace(HOSTS_OWN.encode(), destination.encode()).replace(source.encode(), destination.encode()))
