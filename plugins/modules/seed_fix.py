#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin petal.hpc.seed_fix."""

from __future__ import annotations

DOCUMENTATION = r"""
module: seed_fix
short_description: Write a seed that the recipes can build
version_added: 0.1.0
description:
  - Writes a seed anew with everything mended that M(petal.hpc.seed_lint) reports and that has one right answer.
  - Versions that do not exist or are deprecated become the nearest usable ones, virtual packages what Spack takes for them, and other
    names of a package its own. Variants of a package that stand after its compiler go before it.
  - No variant, flag or dependency is taken out. Where it is not certain what is meant, the line stays as it is.
  - Only the words that are wrong are replaced; comments, order and layout stay as they are.
  - What cannot be mended is returned as RV(left), with a warning for each.
options:
  seed:
    description: Path of the seed.
    type: path
    required: true
  dest:
    description: File to write. Without it, C(NAME.fixed.yaml) beside the seed.
    type: path
  replace:
    description: Overwrite the seed itself.
    type: bool
    default: false
  force:
    description: Overwrite O(dest) where it exists and says something else; refused otherwise.
    type: bool
    default: false
  comment_out:
    description: Turn packages that no recipe builds into comments, so that the rest can be built.
    type: bool
    default: false
extends_documentation_fragment:
  - petal.hpc.recipes
attributes:
  check_mode:
    description: Says what would be written.
    support: full
  diff_mode:
    description: Shows the seed before and after, in check mode too.
    support: full
seealso:
  - module: petal.hpc.seed_lint
"""

EXAMPLES = r"""
- name: Write bioinformatics.fixed.yaml
  petal.hpc.seed_fix:
    seed: bioinformatics.yaml
  diff: true

- name: Mend a seed in place, and comment out what no recipe builds
  petal.hpc.seed_fix:
    seed: bioinformatics.yaml
    replace: true
    comment_out: true
"""

RETURN = r"""
dest:
  description: The file that holds the mended seed; the seed itself where there was nothing to mend.
  returned: success
  type: str
  sample: bioinformatics.fixed.yaml
mended:
  description: What was wrong with the seed and is no more, with the place in the seed.
  returned: success
  type: list
  elements: str
  sample: ["bioinformatics.yaml:24:10: gcc@11.3.0 is deprecated, and Spack refuses it; the nearest usable version is 11.5.0."]
left:
  description: What is still wrong, with the place in RV(dest).
  returned: success
  type: list
  elements: str
  sample: ["bioinformatics.fixed.yaml:31:7: no recipe is called ds9; names that are spelt alike: ds."]
commented_out:
  description: Specs that were turned into comments.
  returned: success
  type: list
  elements: str
recipes_version:
  description: The recipes that the seed was held against.
  returned: success
  type: str
  sample: v2026.06.0
recipes_commit:
  description: Their commit.
  returned: success
  type: str
  sample: d4f7c711a6a42f1c4d551c8fd10fce9a11340a81
"""
