from plugins.filter.build_tags import FilterModule as BuildTags
from plugins.filter.registry_fields import FilterModule
from plugins.modules.snapshot_registry import ARGUMENT_SPEC

VARIANT = {
    "fingerprint": "sha256:ab", "os": "alinux2023", "arch": "x86_64", "target": "x86_64_v3", "spack_version": "v1.2.2",
    "specs": ["zlib@1.3.1"],
}  # fmt: skip
HASHES = {"manifest": "sha256:1", "spack_lock": "sha256:2", "sbom": "sha256:3"}
PARENT = {"fingerprint": "sha256:cd", "snapshot_id": "snap-0", "generation": 1}


def fields(tags):
    snapshot = {"snapshot_id": "snap-1", "volume_size_gib": 8, "owner_id": "123456789012", "tags": tags}
    return FilterModule().filters()["registry_fields"](snapshot, VARIANT)


def test_what_a_build_writes_into_tags_is_what_the_registry_needs_to_know():
    tags = BuildTags().filters()["build_tags"]("ab", VARIANT, {**HASHES, "lock": "sha256:4", "proof": "passed"}, PARENT)
    assert fields(tags) == {
        **HASHES, "lock": "sha256:4", "proof": "passed", "parent": "sha256:cd", "parent_snapshot": "snap-0", "generation": 1,
        "snapshot_id": "snap-1", "size_gib": 8,
        "aws_account": "123456789012", "fingerprint": "sha256:ab", "os": "alinux2023", "architecture": "x86_64", "target": "x86_64_v3",
        "spack": "v1.2.2", "specs": ["zlib@1.3.1"],
    }  # fmt: skip
    assert fields(tags).keys() <= ARGUMENT_SPEC.keys()


def test_what_no_tag_says_is_left_out():
    assert not {"lock", "proof", "manifest", "parent"} & fields({}).keys()
