"""Whoever names a build by its seed takes the same inputs: there is one place that computes fingerprints, and one value that decides."""

import pathlib
import re

import yaml

PLAYBOOKS = pathlib.Path(__file__).resolve().parents[3] / "playbooks"
READ_SEED = "tasks/read_seed.yml"


def sources():
    paths = [*PLAYBOOKS.glob("*.yml"), *PLAYBOOKS.glob("tasks/*.yml")]
    return {str(path.relative_to(PLAYBOOKS)): path.read_text() for path in sorted(paths)}


def test_only_one_place_computes_fingerprints():
    assert [name for name, text in sources().items() if "seed_variants" in text] == [READ_SEED]
    assert "options=lookup('petal.hpc.build_options'" in sources()[READ_SEED]


def test_what_names_a_path_by_the_software_takes_the_options_too():
    for text in sources().values():
        assert len(re.findall(r"software_mount_path", text)) == len(re.findall(r"software_mount_path\(options=lookup", text))


def test_a_host_with_other_values_than_localhost_is_refused_before_anything_is_done():
    first = yaml.safe_load(sources()["tasks/build_variant.yml"])[0]["block"][0]
    assert first["ansible.builtin.assert"]["that"] == "here == petal_variant.options"
    assert "petal.hpc.build_options" in first["vars"]["here"]
