"""A build starts from the snapshot that leaves least to build, and only from one made for the same platform."""

import hashlib

import pytest

from plugins.module_utils._core.build.marks import build_tags
from plugins.module_utils._core.build.parent import lineage_tags, parent_of, rank_parents, seconds_per_package

VARIANT = {
    "os": "alinux2023",
    "arch": "x86_64",
    "target": "x86_64_v3",
    "spack_version": "v1.2.2",
    "recipes_version": "v2026.06.0",
    "compiler": None,
    "mount_path": "/shared",
    "fingerprint": "sha256:new",
    "specs": ["fftw@3", "hdf5@1.14", "openmpi@5", "zlib@1.3"],
}


def choose_parent(variant, snapshots):
    return next(iter(rank_parents(variant, snapshots)), {})


def snapshot(name, specs, *, start="2026-01-01T00:00:00Z", state="completed", generation=None, proof="passed", **variant):
    made = build_tags(name, {**VARIANT, "fingerprint": f"sha256:{name}", "specs": specs, **variant}, outcome={"proof": proof})
    if generation:
        made["petal:build-generation"] = str(generation)
    return {"snapshot_id": f"snap-{name}", "state": state, "start_time": start, "volume_size_gib": 500, "tags": made}


def marked(name, specs, mark, date="2026-11-01"):
    made = snapshot(name, specs)
    return {**made, "tags": {**made["tags"], mark: date}}


HALF = snapshot("half", ["fftw@3", "hdf5@1.14"])


@pytest.mark.parametrize(
    ("others", "chosen"),
    [
        ([], "snap-half"),
        ([snapshot("most", VARIANT["specs"][:3])], "snap-most"),
        ([snapshot("more", ["fftw@3", "hdf5@1.14", "gromacs"])], "snap-half"),  # would have to be removed
        ([snapshot("newer", ["fftw@3", "hdf5@1.14"], start="2026-02-01T00:00:00Z")], "snap-newer"),
        ([snapshot("pending", VARIANT["specs"], state="pending")], "snap-half"),
        ([snapshot("deep", VARIANT["specs"], generation=10)], "snap-half"),
        ([{**HALF, "snapshot_id": "snap-foreign", "tags": {}}], "snap-half"),
        ([snapshot("broken", VARIANT["specs"], proof="failed")], "snap-half"),
        ([snapshot("unproven", VARIANT["specs"], proof=None)], "snap-half"),
        ([marked("retired", VARIANT["specs"], "petal:retired")], "snap-half"),
        ([marked("old", VARIANT["specs"], "petal:deprecated")], "snap-half"),
        # A mark that was taken away again leaves an empty tag.
        ([marked("again", VARIANT["specs"], "petal:retired", "")], "snap-again"),
        *[
            ([snapshot("other", VARIANT["specs"], **{field: "other"})], "snap-half")
            for field in ("os", "arch", "target", "spack_version", "recipes_version", "compiler", "mount_path")
        ],
    ],
)
def test_the_parent_is_the_snapshot_that_leaves_least_to_build(others, chosen):
    assert choose_parent(VARIANT, [HALF, *others])["snapshot_id"] == chosen


def test_a_snapshot_that_shares_no_package_is_no_parent():
    assert choose_parent(VARIANT, [snapshot("far", ["gromacs"])]) == {}


def test_the_choice_says_what_is_lacking_and_its_generation():
    parent = choose_parent(VARIANT, [snapshot("old", ["fftw@3"], generation=2)])
    assert (parent["lacks"], parent["generation"], parent["fingerprint"]) == (3, 3, "sha256:old")


def test_a_volume_remembers_its_parent():
    parent = choose_parent(VARIANT, [HALF])
    volume = {"snapshot_id": "snap-half", "tags": build_tags("ab12", VARIANT, parent=parent)}
    assert parent_of(volume) == {"snapshot_id": "snap-half", "fingerprint": "sha256:half", "generation": 1}
    assert parent_of({"snapshot_id": "", "tags": build_tags("ab12", VARIANT)}) == {}


def test_a_volume_whose_parent_was_retired_since_says_so():
    parent = choose_parent(VARIANT, [HALF])
    volume = {"snapshot_id": "snap-half", "tags": build_tags("ab12", VARIANT, parent=parent)}
    assert "refused" not in parent_of(volume, [HALF])
    retired = {**HALF, "tags": {**HALF["tags"], "petal:retired": "2026-11-01"}}
    assert parent_of(volume, [retired])["refused"] == "it is retired since 2026-11-01"


def test_those_that_could_do_are_ranked():
    ranked = rank_parents(VARIANT, [HALF, snapshot("most", VARIANT["specs"][:3]), snapshot("far", ["gromacs"])])
    assert [one["snapshot_id"] for one in ranked] == ["snap-most", "snap-half"]


def test_more_packages_than_tags_can_name_are_told_by_marks():
    many = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(100)]
    found = lineage_tags({**VARIANT, "specs": many})
    assert max(map(len, found.values())) <= 256 and len(found) == 4
    assert lineage_tags(VARIANT).keys() == {"base"}
    assert choose_parent({**VARIANT, "specs": many}, [snapshot("all", many)])["lacks"] == 0


def test_the_pace_is_that_of_builds_from_nothing():
    def timed(seconds, count, **more):
        return {"tags": {"petal:build-seconds": str(seconds), "petal:package-count": str(count), **more}}

    assert seconds_per_package([timed(100.0, 10), timed(500, 20), timed(1, 100, **{"petal:parent": "sha256:a"}), {"tags": {}}]) == 20.0
    assert seconds_per_package([]) == 0


def test_what_was_built_with_other_options_is_no_parent():
    plain = lineage_tags({**VARIANT, "options": {}})
    assert plain == lineage_tags({name: value for name, value in VARIANT.items() if name != "options"})
    assert plain != lineage_tags({**VARIANT, "options": {"externals": {"cmake": {"buildable": False}}}})
