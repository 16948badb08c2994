# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Spack and the recipes that builds use where a seed names none."""

from __future__ import annotations

SPACK_VERSION = "v1.2.2"
SPACK_GIT_URL = "https://github.com/spack/spack.git"
RECIPES_VERSION = "v2026.06.0"
RECIPES_GIT_URL = "https://github.com/spack/spack-packages.git"
