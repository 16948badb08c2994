from plugins.module_utils._core.build.marks import build_filters, build_tags

VARIANT = {"fingerprint": "sha256:ab", "os": "alinux2023", "arch": "x86_64", "target": "x86_64_v3", "spack_version": "v1.2.2"}


def test_a_snapshot_names_the_image_and_what_is_taken_from_it():
    image = {"externals": {"slurm": "24.05.8", "libfabric": "1.22.0"}, "image_id": "ami-0123456789abcdef0"}
    made = build_tags("ab12", {**VARIANT, **image})
    assert (made["petal:externals"], made["petal:image"]) == ('{"libfabric":"1.22.0","slurm":"24.05.8"}', "ami-0123456789abcdef0")


def test_a_resource_of_a_build_is_ours_and_carries_build_and_platform():
    assert build_tags("ab12", VARIANT, {"package_count": 0, "proof": "passed"}, stage="mounted") == {
        "CreatedBy": "petal.hpc",
        "petal:build-id": "ab12",
        "petal:fingerprint": "sha256:ab",
        "petal:os": "alinux2023",
        "petal:arch": "x86_64",
        "petal:target": "x86_64_v3",
        "petal:spack": "v1.2.2",
        "petal:stage": "mounted",
        "petal:package-count": "0",
        "petal:proof": "passed",
    }


def test_what_is_not_known_is_not_tagged():
    assert build_tags("ab12") == {"CreatedBy": "petal.hpc", "petal:build-id": "ab12"}


def test_the_filters_of_a_build_match_only_ours():
    assert build_filters("ab12") == {"tag:petal:build-id": "ab12", "tag:CreatedBy": "petal.hpc"}
