# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.facts.operating_system import DEFAULT_OS, OPERATING_SYSTEMS, find_os


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("al2023", "alinux2023"),
        ("alinux2023", "alinux2023"),
        ("Amazon Linux 2023", "alinux2023"),
        ("ubuntu2404", "ubuntu2404"),
        ("Ubuntu-22.04", "ubuntu2204"),
        ("RHEL 9", "rhel9"),
        ("rocky_8", "rocky8"),
    ],
)
def test_every_common_spelling_finds_its_system(written, name):
    assert find_os(written).name == name


def test_an_unknown_system_is_refused_with_the_choices():
    with pytest.raises(ExplainedError, match="'alinux2' is not one that ParallelCluster runs") as error:
        find_os("alinux2")
    assert "alinux2023, ubuntu2204" in error.value.next_step


def test_nothing_is_built_where_ansible_does_not_run():
    assert [name for name, system in OPERATING_SYSTEMS.items() if not system.can_build] == ["rhel8", "rocky8"]


def test_no_spelling_means_two_systems():
    spellings = [name for system in OPERATING_SYSTEMS.values() for name in (system.name, *system.aliases)]
    assert len(spellings) == len(set(spellings))


def test_the_default_is_a_system_with_an_official_image():
    assert OPERATING_SYSTEMS[DEFAULT_OS].official_image


def test_only_rocky_needs_an_image_of_ones_own():
    assert [name for name, system in OPERATING_SYSTEMS.items() if not system.official_image] == ["rocky8", "rocky9"]
