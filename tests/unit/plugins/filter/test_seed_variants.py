# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import pathlib

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from plugins.filter.seed_variants import DOCUMENTATION, EXAMPLES, RETURN, FilterModule, seed_variants
from plugins.module_utils._core.seed.read import read_seed

ROOT = pathlib.Path(__file__).parents[4]


@pytest.fixture(name="seed")
def seed_fixture():
    schema = json.loads((ROOT / "schemas" / "seed.schema.json").read_text(encoding="utf-8"))
    path = ROOT / "tests" / "data" / "seeds" / "toy.yaml"
    return read_seed(path.read_text(encoding="utf-8"), schema, path.name).seed


def test_a_seed_becomes_plain_variants(seed):
    (variant,) = seed_variants(seed)
    assert json.loads(json.dumps(variant)) == variant
    assert (variant["arch"], variant["target"], variant["mount_path"]) == ("x86_64", "x86_64_v3", "/shared")
    assert variant["specs"] == ["sleeper01@1.0", "sleeper02@1.0", "toyapp@3.0+gui", "toylib@2.0"]


def test_every_option_reaches_the_fingerprint(seed):
    image = {"externals": {"slurm": "23-11-10-1"}, "image_id": "ami-0123456789abcdef0"}
    changes = [{}, {"os": "rhel9"}, {"mount_path": "/sw"}, {"spack_version": "v1.2.1"}, {"recipes_version": "v2026.10.0"}, image]
    assert len({seed_variants(seed, **change)[0]["fingerprint"] for change in changes}) == len(changes)


def test_a_refusal_keeps_its_explanation(seed):
    with pytest.raises(AnsibleFilterError, match="'plan9' is not one that ParallelCluster runs"):
        seed_variants(seed, os="plan9")


@pytest.mark.parametrize("value", ["toy.yaml", {}, None])
def test_what_is_no_seed_is_refused(value):
    with pytest.raises(AnsibleFilterError, match=r"wants a seed as lookup\('petal.hpc.seed', path\) returns it"):
        seed_variants(value)


def test_the_documentation_names_every_option_and_every_returned_key(seed):
    returned = yaml.safe_load(RETURN)["_value"]
    assert set(returned["contains"]) == set(seed_variants(seed)[0])
    assert set(yaml.safe_load(DOCUMENTATION)["options"]) - {"_input"} == set(seed_variants.__kwdefaults__)
    assert yaml.safe_load(EXAMPLES)
    assert FilterModule().filters() == {"seed_variants": seed_variants}
