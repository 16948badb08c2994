"""The small filters around _core/software/layout.py: each is there under its name and hands over what it was given."""

from plugins.filter import spack_configuration, spack_layout, spack_lock_summary, spack_proof_problems, spack_repos
from plugins.module_utils._core.software.configuration import configuration
from plugins.module_utils._core.software.layout import layout

PATHS = layout("/shared")


def filter_of(module):
    ((_name, function),) = module.FilterModule().filters().items()
    return function


def test_layout_starts_at_the_mount_path():
    assert filter_of(spack_layout)("/data") == layout("/data")


def test_configuration_takes_its_options_by_name():
    compiler = {"version": "11.5.0", "c": "/usr/bin/gcc"}
    rendered = filter_of(spack_configuration)(PATHS, "x86_64", compiler, build_stage="/scratch")
    assert rendered == configuration(PATHS, "x86_64", compiler, build_stage="/scratch")


def test_repos_are_given_their_place_on_the_volume():
    assert filter_of(spack_repos)([{"name": "own", "host_path": "/x"}], PATHS) == [{"name": "own", "path": "/x"}]


def test_lock_summary_counts():
    assert filter_of(spack_lock_summary)({"roots": [], "concrete_specs": {}})["package_count"] == 0


def test_proof_problems_are_sentences():
    proof = {"packages": [], "shells": [], "missing_libraries": [{"file": "/a", "libraries": ["b"]}]}
    assert filter_of(spack_proof_problems)(proof) == ["/a lacks b."]
