import pytest
import yaml
from ansible.errors import AnsibleLookupError

from plugins.lookup import cluster_text
from plugins.lookup.cluster_text import inset, render_cluster, to_json


@pytest.fixture
def folders(tmp_path):
    """The user's folder, and one that stands for the collection's."""
    own, collection = tmp_path / "own", tmp_path / "collection"
    own.mkdir()
    collection.mkdir()
    (collection / "cluster.yaml.j2").write_text("# Heading\nRegion: {{ region | to_json }}\n{% include 'tail.j2' %}\n")
    (collection / "tail.j2").write_text("Tail: ours\n")
    return [str(own), str(collection)]


def test_sections_come_from_the_first_folder_that_has_them(folders, tmp_path):
    assert yaml.safe_load(render_cluster(folders, {"region": "r"})) == {"Region": "r", "Tail": "ours"}
    (tmp_path / "own" / "tail.j2").write_text("Tail: theirs\n")
    assert yaml.safe_load(render_cluster(folders, {"region": "r"}))["Tail"] == "theirs"


def test_overrides_are_merged_and_the_heading_stays(folders):
    text = render_cluster(folders, {"region": "r"}, {"Tail": None, "Head": {"a": 1}})
    assert text.startswith("# Heading\n")
    assert yaml.safe_load(text) == {"Region": "r", "Head": {"a": 1}}


@pytest.mark.parametrize("value", ["yes", "012", "a: b", "it's", "ü", True, 5])
def test_every_value_survives_yaml(value):
    assert yaml.safe_load(f"key: {to_json(value)}")["key"] == value


def test_inset_shifts_every_line_and_makes_nothing_of_nothing():
    assert inset("a:\n  b\n", 2) == "  a:\n    b\n"
    assert inset("", 2) == ""


@pytest.fixture
def lookup():
    return cluster_text.LookupModule()


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ unknown }}", "'unknown' is undefined"),
        ("{% if %}", "cluster.yaml.j2:1"),
        ("{% include 'missing.j2' %}", "No template missing.j2"),
        ("a: [", "did not give valid YAML"),
    ],
)
def test_a_template_that_fails_is_named(lookup, monkeypatch, tmp_path, template, words):
    monkeypatch.setattr(lookup, "set_options", lambda **_: None)
    monkeypatch.setattr(lookup, "get_option", {"model": {}, "overrides": {}}.get)
    (tmp_path / "cluster.yaml.j2").write_text(template)
    with pytest.raises(AnsibleLookupError, match=words):
        lookup.run([str(tmp_path)])
