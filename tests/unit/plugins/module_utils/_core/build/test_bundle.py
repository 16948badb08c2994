import pytest

from plugins.module_utils._core.build.bundle import bundle_files


def test_files_that_variables_name_go_with_a_detached_build():
    variables = {
        "registry": "/home/ada/registry",
        "spack_bootstrap_extra_repos": [{"name": "toy", "path": "/home/ada/toy/"}, {"name": "mock", "host_path": "$spack/mock"}],
    }
    kept, sources = bundle_files(variables, "/opt/petal")
    assert sources == {"/home/ada/toy/": "files/spack_bootstrap_extra_repos-0/toy"}
    assert kept == {
        "spack_bootstrap_extra_repos": [
            {"name": "toy", "path": "/opt/petal/files/spack_bootstrap_extra_repos-0/toy"},
            {"name": "mock", "host_path": "$spack/mock"},
        ]
    }


@pytest.mark.parametrize("registry", ["https://example.org/registry", "s3://bucket/registry", "git+ssh://git@example.org/team/registry"])
def test_a_registry_with_an_address_goes_with_a_detached_build(registry):
    assert bundle_files({"registry": registry}, "/opt/petal") == ({"registry": registry}, {})
