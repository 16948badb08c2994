"""Who builds gets what has to be written and no more, and loses all of it when the build ends. See hand_over.py."""

import json
import os
import pathlib
import stat
import subprocess
import sys

import pytest

PROGRAM = pathlib.Path(__file__).resolve().parents[3] / "roles/spack_bootstrap/files/hand_over.py"
BUILDER = 5150

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to change whose a file is")


@pytest.fixture
def volume(tmp_path):
    """A volume in the middle of a build, all of it the builder's, as volumes of before are."""
    top = tmp_path / "shared"
    in_petal = [f".petal/{name}" for name in ("bin/spack", "build.json", "status.json", "proof.json")]
    for name in [*in_petal, "etc/profile.d/petal.sh", "software/x/tool"]:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(name)
    (top / "etc/lmod").symlink_to(top / "software/x")
    for path in [top, *top.rglob("*")]:
        os.lchown(path, BUILDER, BUILDER)
    return top


def hand_over(*arguments):
    subprocess.run([sys.executable, PROGRAM, *arguments], check=True)


def give(volume, **more):
    shared = {f"{volume}/.petal": ["bin", "build.json", "proof.json"], f"{volume}/etc": ["profile.d"]}
    trees = [f"{volume}/software", f"{volume}/none"]
    hand_over("give", json.dumps({"uid": BUILDER, "gid": BUILDER, "shared": shared, "trees": trees, **more}))


def take(volume):
    hand_over("take", volume, volume / ".petal", volume / "etc")


def owners(volume):
    return {str(path.relative_to(volume)): path.lstat().st_uid for path in volume.rglob("*")}


def test_who_builds_writes_beside_what_is_roots(volume):
    give(volume)
    roots = {path for path, uid in owners(volume).items() if uid == 0}
    in_petal = {f".petal/{name}" for name in ("bin", "bin/spack", "build.json", "proof.json")}
    assert roots == {".petal", *in_petal, "etc", "etc/profile.d", "etc/profile.d/petal.sh"}
    assert stat.S_IMODE((volume / ".petal").stat().st_mode) == 0o1775


def test_who_builds_cannot_replace_what_root_runs_or_reads(volume):
    for folder in volume.parents:
        folder.chmod(folder.stat().st_mode | 0o055)
    os.chown(volume, 0, 0)
    give(volume)
    for path in (".petal/bin", ".petal/bin/spack", ".petal/build.json", "etc/profile.d", "etc/profile.d/petal.sh"):
        tried = subprocess.run(["mv", volume / path, volume / "software/stolen"], user=BUILDER, group=BUILDER, extra_groups=[], check=False)
        assert tried.returncode != 0 and (volume / path).exists()
    subprocess.run(["mv", volume / ".petal/status.json", volume / "software"], user=BUILDER, group=BUILDER, extra_groups=[], check=True)


def test_all_of_it_is_roots_in_the_end(volume):
    give(volume)
    take(volume)
    assert set(owners(volume).values()) == {0}
    assert {stat.S_IMODE((volume / name).stat().st_mode) for name in (".petal", "etc")} == {0o755}


def test_a_program_of_the_builder_does_not_become_roots_with_its_set_uid_bit(volume):
    (volume / "software/x/tool").chmod(0o4755)
    take(volume)
    assert stat.S_IMODE((volume / "software/x/tool").stat().st_mode) == 0o755


def test_links_are_changed_and_not_followed(volume, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").touch()
    (volume / "software/way").symlink_to(tmp_path / "outside")
    give(volume)
    assert (volume / "software/way").lstat().st_uid == BUILDER
    assert {path.stat().st_uid for path in (tmp_path / "outside", tmp_path / "outside/file")} == {0}


def test_a_link_in_the_place_of_what_is_roots_goes(volume, tmp_path):
    (volume / ".petal/build.json").unlink()
    (volume / ".petal/build.json").symlink_to(tmp_path)
    os.lchown(volume / ".petal/build.json", BUILDER, BUILDER)
    give(volume)
    assert not os.path.lexists(volume / ".petal/build.json")


def test_a_proof_ends_when_the_packages_may_change(volume):
    give(volume, forget=f"{volume}/.petal/proof.json")
    assert not (volume / ".petal/proof.json").exists()
