"""The scripts that every node runs, in a throw-away copy of a lab host's file system.

Nothing boots there: `systemctl enable --now` is a stand-in that runs the unit's command, and `mount-s3` one that mounts an empty
file system.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import time

import jinja2
import pytest

from plugins.module_utils._core.software.layout import layout
from tests.lab import image

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOOKS = ROOT / "roles/cluster_config/files/hooks"
pytestmark = [
    pytest.mark.hosts,
    pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("systemd-nspawn"), reason="needs root and the Debian package systemd-container"
    ),
]

STAND_INS = {
    "mount-s3": '#!/bin/sh\necho "$@" >>/tmp/mount-s3.log\nfor last; do :; done\nmount -t tmpfs s3 "$last"\n',
    "systemctl": '#!/bin/sh\ncase $1 in enable) eval "$(sed -n s/^ExecStart=//p "/etc/systemd/system/$3")" ;; esac\n',
}


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programs")
    for name, text in STAND_INS.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def node(stand_ins):
    """Run a shell script on a fresh node; hooks are in /hooks."""

    def run(script: str, volume: pathlib.Path | None = None) -> subprocess.CompletedProcess:
        command = ["systemd-nspawn", "--quiet", "--directory", str(image.ensure()), "--volatile=overlay", "--register=no", "--keep-unit"]
        command += [
            "--pipe",
            f"--bind-ro={HOOKS}:/hooks",
            f"--bind-ro={stand_ins}:/stand-ins",
            *([f"--bind-ro={volume}:/volume"] if volume else []),
            "--setenv=PATH=/stand-ins:/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        return subprocess.run([*command, "sh", "-ec", script], capture_output=True, text=True, check=False, timeout=60)

    return run


def test_users_have_the_ids_and_groups_of_the_seed(node):
    done = node(
        "for again in 1 2; do sh /hooks/petal-users.sh chem:6001 bio:6002 ada:5001:5000:chem,bio ben:5002:5000:; done;"
        "id ada; id ben; ls -nd /home/ada"
    )
    assert done.returncode == 0, done.stderr
    ada, ben, home = done.stdout.splitlines()
    assert ada == "uid=5001(ada) gid=5000(ada) groups=5000(ada),6001(chem),6002(bio)"
    assert ben.startswith("uid=5002(ben) gid=5000(ada)")
    assert home.split()[2:4] == ["5001", "5000"]


def test_a_home_that_another_node_made_is_kept(node):
    done = node("mkdir /home/ada; touch /home/ada/mine; sh /hooks/petal-users.sh ada:5001:5001:; ls -A /home/ada")
    assert (done.returncode, done.stdout.split()) == (0, ["mine"]), done.stderr


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("useradd -u 5001 eve", "uid 5001 of ada is taken: eve"),
        ("useradd -u 6000 ada", "ada exists with another uid: 6000, not 5001"),
        ("groupadd -g 6000 ada", "group ada exists with another gid: 6000, not 5001"),
    ],
)
def test_an_id_that_is_taken_is_refused(node, before, words):
    done = node(f"{before}; sh /hooks/petal-users.sh ada:5001:5001:")
    assert done.returncode == 1
    assert words in done.stderr


def test_the_profile_of_the_software_is_linked(node):
    volume = "mkdir -p /shared/etc/profile.d; echo 'echo hello' >/shared/etc/profile.d/petal.sh"
    done = node(f"{volume}; sh /hooks/petal-software.sh /shared; sh -l -c true")
    assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr


# What a user types, then the same in a shell within it, where the image's own scripts have run once more; at last a script, as of a job.
LOGINS = {
    "bash": "su - ada -s /bin/bash -c 'module --version; source /volume/use; bash -lic \"source /volume/use\"; bash /volume/use'",
    "zsh": "su - ada -s /bin/zsh -c 'module --version; source /volume/use; zsh -lc \"source /volume/use\"'",
    "tcsh": "su ada -s /bin/tcsh -c 'module --version; source /volume/use; tcsh -c \"source /volume/use\"'",
    "fish": "su - ada -s /usr/bin/fish -c 'module --version; source /volume/use; fish -lc \"source /volume/use\"'",
}


@pytest.mark.parametrize("shell", list(LOGINS))
@pytest.mark.parametrize(("lmod", "system"), [("", "Modules Release 5"), ("/usr/share/lmod/lmod", "Modules based on Lua")])
def test_every_shell_loads_modules_beside_the_module_system_of_the_image(node, volume, shell, lmod, system):
    prepare = [
        "useradd -m ada; cp -r /volume /shared",
        f"ln -sfn {lmod} /shared/etc/lmod" if lmod else ":",
        # As Red Hat's images have it: each csh starts Environment Modules, and so does each bash that runs a script.
        "echo source /usr/share/modules/init/csh >/etc/csh/cshrc.d/modules.csh",
        "echo export BASH_ENV=/usr/share/modules/init/bash >>/etc/profile.d/modules.sh",
        "for again in 1 2; do sh /hooks/petal-software.sh /shared; done",
    ]
    done = node("\n".join([*prepare, LOGINS[shell]]), volume)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert done.stdout.count("hello from toy") == LOGINS[shell].count("/volume/use"), said
    assert system in said


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    """A volume with the profile scripts of the role, and one package with a module for either module system."""
    folder = tmp_path_factory.mktemp("volume")
    paths = layout("/shared")
    files = {
        "/shared/toy/bin/toy": "#!/bin/sh\necho hello from toy\n",
        f"{paths['lmod']}/Core/toy/1.0.lua": 'prepend_path("PATH", "/shared/toy/bin")\n',
        f"{paths['tcl']}/toy/1.0": "#%Module1.0\nprepend-path PATH /shared/toy/bin\n",
        "/shared/use": "module load toy\ntoy\nmodule unload toy\n",
    }
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
    for kind in ("sh", "csh", "fish"):
        template = environment.from_string((ROOT / f"roles/spack_bootstrap/templates/petal.{kind}.j2").read_text())
        files[f"{paths['profile']}/petal.{kind}"] = template.render(__spack_bootstrap_paths=paths, __spack_bootstrap_managed="#")
    for name, text in files.items():
        file = folder / name.removeprefix("/shared/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    folder.chmod(0o755)
    return folder


def test_software_that_is_not_mounted_is_told(node):
    done = node("sh /hooks/petal-software.sh /shared")
    assert done.returncode == 1
    assert "/shared is not a petal.hpc software volume, or is not mounted" in done.stderr


def test_buckets_are_mounted_beside_the_export_and_linked(node):
    done = node(
        "for again in 1 2; do sh /hooks/petal-buckets.sh data:/s3/shared/data:/shared/data:rw reference:/reference::ro; done;"
        "touch /shared/data/result; ls /s3/shared/data; readlink /shared/data; mountpoint -q /reference; cat /tmp/mount-s3.log"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "result",
        "/s3/shared/data",
        "--allow-other --allow-delete --allow-overwrite --dir-mode 0777 --file-mode 0666 data /s3/shared/data",
        "--allow-other --read-only --dir-mode 0755 --file-mode 0644 reference /reference",
    ]


def test_an_empty_directory_in_the_place_of_a_link_gives_way(node):
    done = node("mkdir -p /shared/data; sh /hooks/petal-buckets.sh data:/s3/shared/data:/shared/data:rw; readlink /shared/data")
    assert (done.returncode, done.stdout) == (0, "/s3/shared/data\n"), done.stderr


def test_files_in_the_place_of_a_link_are_kept(node):
    done = node("mkdir -p /shared/data; touch /shared/data/old; sh /hooks/petal-buckets.sh data:/s3/shared/data:/shared/data:rw")
    assert done.returncode != 0
    assert "/shared/data" in done.stderr


# For a mount namespace of its own, so that what this machine's shells read stays as it is.
KEEP_THIS_MACHINE = "set -e; for place in profile.d csh zsh fish; do [ ! -d /etc/$place ] || mount -t tmpfs none /etc/$place; done"


@pytest.fixture
def grown_volume(tmp_path):
    """An XFS file system of 320 MiB, mounted from a device of 500 MiB, as a volume that is larger than its snapshot."""
    disk, folder = tmp_path / "disk", tmp_path / "shared"
    folder.mkdir()
    for command in (["truncate", "-s", "320M", disk], ["mkfs.xfs", "-q", disk], ["truncate", "-s", "500M", disk]):
        subprocess.run(command, check=True)
    subprocess.run(["mount", "-o", "loop", disk, folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_the_file_system_of_a_larger_volume_is_grown(grown_volume):
    profile = grown_volume / "etc/profile.d/petal.sh"
    profile.parent.mkdir(parents=True)
    profile.touch()
    before = shutil.disk_usage(grown_volume).total
    script = f"{KEEP_THIS_MACHINE}; exec sh {HOOKS}/petal-software.sh {grown_volume}"
    subprocess.run(["unshare", "--mount", "sh", "-c", script], check=True, capture_output=True)
    assert shutil.disk_usage(grown_volume).total > 1.4 * before


def test_the_files_of_the_hot_list_are_read_at_boot(grown_volume):
    profile = grown_volume / "etc/profile.d/petal.sh"
    profile.parent.mkdir(parents=True)
    profile.touch()
    hot, cold = grown_volume / "hot file", grown_volume / "cold"
    for file in (hot, cold):
        file.write_bytes(bytes(4096) * 50)
    (grown_volume / ".petal").mkdir()
    (grown_volume / ".petal/hot-list").write_text("missing\nhot file\n")
    # What is written is in memory; a page that is dropped comes back only when it is read.
    subprocess.run(["sync", "--file-system", grown_volume], check=True)
    for file in (hot, cold):
        subprocess.run(["dd", f"of={file}", "oflag=nocache", "conv=notrunc,fdatasync", "count=0"], check=True, capture_output=True)
    assert [pages_in_memory(file) for file in (hot, cold)] == [0, 0]
    script = f"{KEEP_THIS_MACHINE}; exec sh {HOOKS}/petal-software.sh {grown_volume}"
    subprocess.run(["unshare", "--mount", "sh", "-c", script], check=True, capture_output=True)
    deadline = time.monotonic() + 30
    while not pages_in_memory(hot) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert [pages_in_memory(hot) > 0, pages_in_memory(cold)] == [True, 0]


def pages_in_memory(file):
    listed = subprocess.run(["fincore", "--noheadings", "--output", "PAGES", file], check=True, capture_output=True, text=True)
    return int(listed.stdout)
