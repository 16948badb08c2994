from plugins.module_utils._core.software.diff import compare_packages


def test_packages_are_compared_by_name():
    found = compare_packages(["samtools@1.19", "bwa", "fastqc"], ["bwa", "samtools@1.17", "blast-plus"])
    assert found == {
        "known": True,
        "added": ["fastqc"],
        "removed": ["blast-plus"],
        "changed": [{"package": "samtools", "before": ["samtools@1.17"], "after": ["samtools@1.19"]}],
        "unchanged": 1,
    }


def test_spelling_does_not_count():
    assert compare_packages([" hdf5  ~shared+mpi@1.14 "], ["hdf5@1.14+mpi~shared"])["unchanged"] == 1


def test_two_specs_of_one_package_change_together():
    (changed,) = compare_packages(["gcc@12", "gcc@13"], ["gcc@12"])["changed"]
    assert changed["after"] == ["gcc@12", "gcc@13"]


def test_what_nobody_knows_is_not_compared():
    assert compare_packages(["bwa"], None)["known"] is False
