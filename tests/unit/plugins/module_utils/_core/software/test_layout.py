from plugins.module_utils._core.software.layout import layout, repo_paths

PATHS = layout("/shared")


def test_every_path_lies_on_the_volume():
    assert all(path.startswith("/data/soft") for path in layout("/data/soft").values())


def test_spack_itself_can_lie_elsewhere():
    paths = layout("/shared", root="/shared/tools/spack")
    assert paths["root"] == "/shared/tools/spack"
    assert paths["configuration"] == "/shared/tools/spack/etc/spack"


def test_a_copied_repository_keeps_the_name_of_its_namespace():
    repos = [{"name": "site", "path": "/home/me/recipes/spack_repo/hpc_site/"}, {"name": "own", "host_path": "$spack/x"}]
    assert repo_paths(repos, PATHS) == [
        {"name": "site", "path": "/shared/.petal/repos/site/spack_repo/hpc_site"},
        {"name": "own", "path": "$spack/x"},
    ]
