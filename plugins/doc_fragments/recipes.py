# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the documentation of the plugins that read recipes has in common."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
author:
  - petal.hpc contributors (@petal-hpc)
requirements:
  - python >= 3.11 on the controller
  - git on the controller
  - jsonschema >= 4.20 on the controller
notes:
  - Runs on the controller, and needs neither Spack nor a host nor credentials.
  - The recipes are read once for each commit, which takes all processors some seconds, and kept as an index of some MB in O(cache_path).
options:
  recipes_git_url:
    description: Git repository of the recipes, as a URL or as the path of a repository on the controller.
    type: str
    default: https://github.com/spack/spack-packages.git
  recipes_version:
    description:
      - Tag, branch or commit of the recipes.
      - Without it, what the seed names as C(software.recipes_version), else the release that the collection is tested with.
    type: str
  extra_repos:
    description:
      - Further repositories of recipes, searched first, in the form of the role's C(spack_bootstrap_extra_repos).
      - Of one that only the build host has (C(host_path)) nothing is known here, so names that no recipe has are not reported then.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the repository.
        type: str
        required: true
      path:
        description: Its directory on the controller, which holds C(packages).
        type: path
      host_path:
        description: Its directory on the build host.
        type: path
  repos_override:
    description: Leave Spack's own recipes out, so that O(extra_repos) are all there is.
    type: bool
    default: false
  cache_path:
    description:
      - Directory for the recipes and their index; made if it does not exist.
      - Without it, C(petal-recipes-UID) in the directory for temporary files. To keep it between jobs of an execution environment,
        name a mounted directory.
    type: path
attributes:
  action:
    description: Runs on the controller.
    support: full
  platform:
    description: Where the controller runs.
    platforms: posix
    support: full
"""
