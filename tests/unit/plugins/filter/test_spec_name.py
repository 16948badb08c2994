# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from plugins.filter.spec_name import FilterModule

spec_name = FilterModule().filters()["spec_name"]


def test_a_spec_gives_its_package():
    assert spec_name("hdf5@1.14 +mpi ^openmpi@4.1.6") == "hdf5"


def test_what_is_no_spec_is_refused():
    with pytest.raises(AnsibleFilterError, match="'' is no Spack spec: it names no package"):
        spec_name("")
