from plugins.module_utils._core.software.lock import lock_summary

LOCK = {
    "roots": [{"hash": "a" * 32, "spec": "app"}, {"hash": "c" * 32, "spec": "slurm"}],
    "concrete_specs": {
        "a" * 32: {"name": "app", "version": "2.0", "dependencies": [{"name": "lib", "hash": "b" * 32}]},
        "b" * 32: {"name": "lib", "version": "1.0"},
        "c" * 32: {"name": "slurm", "version": "23.11", "external": {"path": "/opt/slurm"}},
    },
}


def test_a_lock_says_what_was_built():
    summary = lock_summary(LOCK)
    assert summary["package_count"] == 2
    assert summary["roots"] == [{"name": "app", "version": "2.0"}, {"name": "slurm", "version": "23.11"}]
    assert summary["fingerprint"].startswith("sha256:")
