"""Stands in for get-pip.py, which ansible-test downloads from a site that not every machine reaches.

Called as ansible-test calls get-pip.py: installs the pip that Python bundles, then the versions named on the command line.
"""

from __future__ import annotations

import subprocess
import sys

if __name__ == "__main__":
    wanted = [argument for argument in sys.argv[1:] if "==" in argument]
    subprocess.check_call([sys.executable, "-m", "ensurepip", "--upgrade"], stdout=subprocess.DEVNULL)
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
