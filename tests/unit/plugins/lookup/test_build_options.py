# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import shutil

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from plugins.lookup import build_options as plugin
from tests.unit.recipes import LIBRARY


def look_up(mount_path="/shared", **variables):
    given = {f"spack_bootstrap_{name}": value for name, value in variables.items()}
    loader = DataLoader()
    lookup = plugin.LookupModule(loader=loader, templar=Templar(loader=loader, variables=given))
    lookup.set_options = lambda **_options: None
    lookup.get_option = {"mount_path": mount_path}.get
    (options,) = lookup.run([], given)
    return options


def test_what_is_set_and_decides_is_returned():
    assert look_up() == {}
    assert look_up(jobs=4, lmod="auto", externals={"cmake": {"buildable": False}}) == {"externals": {"cmake": {"buildable": False}}}
    assert look_up(root="/sw/spack", mount_path="/sw") == {}
    assert look_up(root="/shared/spack", mount_path="/sw") == {"root": "/shared/spack"}


def test_a_repository_is_known_by_its_content_wherever_it_lies(tmp_path):
    repo = {"name": "library", "path": str(LIBRARY)}
    copy = shutil.copytree(LIBRARY, tmp_path / "copy" / "library")
    here = look_up(extra_repos=[repo])
    assert look_up(extra_repos=[{**repo, "path": str(copy)}]) == here
    (copy / "packages/gcc/package.py").write_text("changed")
    assert look_up(extra_repos=[{**repo, "path": str(copy)}]) != here


def test_a_directory_without_recipes_is_refused(tmp_path):
    with pytest.raises(AnsibleError, match="holds no repo"):
        look_up(extra_repos=[{"name": "x", "path": str(tmp_path)}])
