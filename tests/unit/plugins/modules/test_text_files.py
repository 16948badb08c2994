import os
import stat

import pytest

from plugins.modules.text_files import run


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "etc" / "greeting")


def params(*files, **options):
    named = [{"mode": "0644", **entry} for entry in files]
    return {"files": named, "directories": [], "purge": [], "owner": None, "group": None, **options}


def read(path):
    with open(path, encoding="utf-8") as content:
        return content.read()


def test_a_file_and_its_directory_are_made(path):
    result = run(params({"path": path, "content": "hello\n"}), check_mode=False)
    assert (result["changed"], result["written"]) == (True, [path])
    assert read(path) == "hello\n"


def test_a_second_run_changes_nothing(path):
    request = params({"path": path, "content": "hello\n"})
    run(request, check_mode=False)
    assert run(request, check_mode=False)["changed"] is False


def test_check_mode_touches_nothing_and_says_what_it_would(path):
    result = run(params({"path": path, "content": "hello\n"}, directories=[path + ".d"]), check_mode=True)
    assert result["changed"] is True
    assert not os.path.exists(os.path.dirname(path))
    assert not os.path.exists(path + ".d")


def test_the_diff_shows_both_texts(path):
    run(params({"path": path, "content": "old\n"}), check_mode=False)
    (diff,) = run(params({"path": path, "content": "new\n"}), check_mode=True)["diff"]
    assert (diff["before"], diff["after"]) == ("old\n", "new\n")


def test_permissions_are_mended(path):
    run(params({"path": path, "content": "x"}), check_mode=False)
    os.chmod(path, 0o600)
    assert run(params({"path": path, "content": "x"}), check_mode=False)["written"] == [path]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644


def test_a_program_becomes_executable(path):
    run(params({"path": path, "content": "#!/bin/sh\n", "mode": "0755"}), check_mode=False)
    assert os.access(path, os.X_OK)


def test_line_ends_are_written_as_they_are(path):
    run(params({"path": path, "content": "a\r\nb\n"}), check_mode=False)
    with open(path, "rb") as content:
        assert content.read() == b"a\r\nb\n"


def test_files_that_are_not_named_go_and_pythons_caches_stay(tmp_path):
    kept, gone, cache = (str(tmp_path / "recipes" / name) for name in ("kept", "gone", "__pycache__/kept.pyc"))
    for each in (kept, gone, cache):
        run(params({"path": each, "content": "x"}), check_mode=False)
    result = run(params({"path": kept, "content": "x"}, purge=[str(tmp_path / "recipes")]), check_mode=False)
    assert (result["changed"], result["removed"]) == (True, [gone])
    assert not os.path.exists(gone)
    assert os.path.exists(cache)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make another user's link")
def test_nobody_leads_root_to_another_file(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "way").symlink_to(tmp_path / "outside")
    os.lchown(tmp_path / "way", 5150, 5150)
    with pytest.raises(OSError, match="symbolic link of the user with the number 5150"):
        run(params({"path": str(tmp_path / "way/file"), "content": "x"}), check_mode=False)
    assert not list((tmp_path / "outside").iterdir())


def test_a_link_in_the_place_of_the_new_file_is_not_written_through(path, tmp_path):
    (tmp_path / "outside").write_text("kept")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(tmp_path / "outside", path + ".new")
    run(params({"path": path, "content": "x"}), check_mode=False)
    assert (tmp_path / "outside").read_text() == "kept"


def test_a_directory_is_made_though_it_stays_empty(tmp_path):
    wanted = str(tmp_path / "a" / "b")
    assert run(params(directories=[wanted]), check_mode=False)["changed"] is True
    assert run(params(directories=[wanted]), check_mode=False)["changed"] is False
    assert os.path.isdir(wanted)
