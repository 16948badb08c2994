"""The proof of a volume: what works passes, and each thing that can be broken is found. Needs root, for the mount namespace."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from plugins.module_utils._core.seed.variant import cpu_features
from plugins.module_utils._core.software.layout import layout
from plugins.module_utils._core.software.proof import proof_problems

PROVE = Path(__file__).resolve().parents[2] / "roles/spack_bootstrap/files/prove.py"
# In the place of Lmod or Environment Modules, which this machine need not have: a module is a directory for the PATH.
TARGET = {"x86_64": "x86_64_v3", "aarch64": "aarch64"}[platform.machine()]
# Compilers turn this loop into the widest instructions they may use.
DATA = "double a[999], b[999];"
LOOP = "int main(int n, char **v) { for (int i = 0; i < 999; i++) a[i] = a[i] * b[i] + n; return a[n] > 9; }"
PROFILE = 'module() { test -r "$MODULES/$2" && PATH="$(cat "$MODULES/$2"):$PATH"; }\n'

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a mount namespace")


@pytest.fixture
def volume(tmp_path):
    # pytest's own folders are closed to other users; a mounted volume is not.
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_mode & 0o7777 == 0o700:
            folder.chmod(0o755)
    return Volume(tmp_path / "shared")


class Volume:
    """A volume with one package, `hello`, whose program prints a greeting."""

    def __init__(self, mount_path):
        self.paths = layout(str(mount_path))
        self.prefix = Path(self.paths["software"]) / "hello-1.0-aaaaaaa"
        self.smoke, self.hide, self.allowed, self.not_judged, self.image = {}, [], [], [], []
        self.image_packages = mount_path.parent / "image_packages"
        self.write(self.paths["profile"] + "/petal.sh", f"MODULES={self.paths['tcl']}\n{PROFILE}")
        self.write(self.paths["profile"] + "/petal.csh", f"alias module 'test -r {self.paths['tcl']}/\\!:2'\n")
        self.write(self.paths["tcl"] + "/hello/1.0", f"{self.prefix}/bin")
        self.write(self.paths["status"], json.dumps({"inputs": "1"}))
        self.write(self.prefix / "bin/hello", "#!/bin/sh\necho hello\n").chmod(0o755)
        package = {"name": "hello", "version": "1.0", "root": True, "external": False, "prefix": str(self.prefix), "module": "hello/1.0"}
        self.write(self.paths["packages"], json.dumps([package]))

    def write(self, path, text):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
        return Path(path)

    def prove(self):
        """Return the proof and the problems that the role would name."""
        settings = {
            "paths": self.paths,
            "smoke": self.smoke,
            "hide": self.hide,
            "allowed_missing_libraries": self.allowed,
            "allowed_beyond_target": self.not_judged,
            "image_software": self.image,
            "image_packages": str(self.image_packages),
            "target": TARGET,
            "features": cpu_features(TARGET),
            "timeout": 5,
        }
        self.write(self.paths["settings"], json.dumps(settings))
        answer = subprocess.run([sys.executable, PROVE, self.paths["settings"]], capture_output=True, text=True, check=False)
        assert answer.stdout, answer.stderr
        proof = json.loads(answer.stdout)
        assert answer.returncode == (0 if proof["passed"] else 1)
        return proof, proof_problems(proof)

    def compile_against_a_library_that_then_goes(self):
        library = self.write(self.prefix / "lib/greet.c", "const char *greet(void) { return 0; }").with_name("libgreet.so")
        main = self.write(self.prefix / "lib/main.c", "const char *greet(void); int main(void) { return greet() != 0; }")
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, library.with_name("greet.c")], check=True)
        subprocess.run(["gcc", "-o", self.prefix / "bin/hello", main, library, f"-Wl,-rpath,{library.parent}"], check=True)
        library.unlink()

    def compile_against_a_library_in(self, folder):
        """Link the program to a library that lies elsewhere on this machine."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder).chmod(0o755)
        library = Path(folder) / "libpetal_test.so"
        source = self.write(self.prefix / "src/greet.c", "const char *greet(void) { return 0; }")
        main = self.write(self.prefix / "src/main.c", "const char *greet(void); int main(void) { return greet() != 0; }")
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
        subprocess.run(["gcc", "-o", self.prefix / "bin/hello", main, library, f"-Wl,-rpath,{folder}"], check=True)
        return library

    def compile_for(self, target, path="bin/compiled", code=DATA + LOOP):
        """Compile a loop, as a build would that does not keep to the target."""
        source = self.write(self.prefix / "src/main.c", code)
        (self.prefix / path).parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O3", f"-march={target}", "-o", self.prefix / path, source], check=True)


def test_the_files_that_loading_and_trying_reads_are_listed(volume):
    volume.smoke = {"hello": "hello"}
    volume.write(volume.prefix / "share/doc", "nobody reads this")
    proof, problems = volume.prove()
    assert problems == []
    assert {"modules/tcl/hello/1.0", "software/hello-1.0-aaaaaaa/bin/hello", "etc/profile.d/petal.sh"} <= set(proof["hot_list"])
    assert not any(path.endswith("share/doc") or path.startswith(".petal") for path in proof["hot_list"])


def test_a_volume_that_works_is_proven(volume):
    proof, problems = volume.prove()
    assert problems == []
    assert proof["packages"][0]["package"] == "hello@1.0"
    assert {tried["shell"] for tried in proof["shells"]} >= {"bash", "sh"}


def test_the_output_of_the_smoke_command_is_kept(volume):
    volume.smoke = {"hello": "hello"}
    assert volume.prove()[0]["packages"][0]["output"] == "hello"


def test_a_smoke_command_that_fails_is_named_with_its_output(volume):
    volume.smoke = {"hello": "hello; exit 3"}
    assert volume.prove()[1] == ["hello@1.0: module load hello/1.0 && hello; exit 3 ended with code 3: hello"]


def test_a_smoke_command_that_hangs_is_ended(volume):
    volume.smoke = {"hello": "sleep 60"}
    (problem,) = volume.prove()[1]
    assert "did not end within 5 seconds" in problem


@pytest.mark.parametrize(
    ("program", "command", "said"),
    [
        ("#!/bin/sh\necho hello 1.0\n", "hello --version", "hello 1.0"),
        # As bwa and seqtk answer whatever they are asked.
        ("#!/bin/sh\necho Usage: hello FILE >&2\nexit 1\n", "hello --version", "Usage: hello FILE"),
        ("#!/bin/sh\necho Usage: hello FILE >&2\nexit 255\n", "hello --version", "Usage: hello FILE"),
        ('#!/bin/sh\n[ "$1" = --help ] && echo Usage\nexit 1\n', "hello --help", "Usage"),
        # A wrapper such as an MPI's, which starts what it is given.
        ('#!/bin/sh\nexec "$@"\n', "hello", ""),
    ],
)
def test_a_program_that_says_anything_runs(volume, program, command, said):
    volume.write(volume.prefix / "bin/hello", program)
    proof, problems = volume.prove()
    assert problems == []
    (hello,) = proof["packages"]
    assert (hello["tried"], hello["command"], hello["output"]) == ("started", command, said)
    assert proof["not_run"] == []


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("#!/bin/sh\nexit 1\n", 1),
        ("#!/bin/sh\nkill -ILL $$\n", 128 + 4),
        ("#!/bin/sh\necho started; kill -SEGV $$\n", 128 + 11),
        ("#!/no/such/interpreter\n", None),
        ("\x7fELF, but no more than that", 126),
        ("#!/bin/sh\nexec /usr/bin/no-such-helper\n", 127),
    ],
)
def test_a_program_that_cannot_start_fails_the_proof(volume, program, code):
    volume.write(volume.prefix / "bin/hello", program)
    proof, problems = volume.prove()
    (hello,) = proof["packages"]
    assert not hello["passed"] and hello["tried"] == "started"
    assert code in (None, hello["code"])
    assert problems[0].startswith(f"hello@1.0: module load hello/1.0 && hello ended with code {hello['code']}: ")


def test_a_script_whose_program_lacks_a_library_does_not_run(volume):
    volume.compile_against_a_library_that_then_goes()
    (volume.prefix / "libexec").mkdir()
    (volume.prefix / "bin/hello").rename(volume.prefix / "libexec/hello")
    volume.write(volume.prefix / "bin/hello", f"#!/bin/sh\nexec {volume.prefix}/libexec/hello\n").chmod(0o755)
    proof, problems = volume.prove()
    assert proof["packages"][0]["code"] == 127
    assert "libgreet.so: cannot open shared object file" in problems[0]
    volume.allowed = [f"{volume.prefix}/lib/libgreet.so"]
    proof, problems = volume.prove()
    assert problems == []
    assert proof["not_run"] == ["hello@1.0"]


def test_a_program_that_waits_for_ever_is_ended_and_not_said_to_run(volume):
    volume.write(volume.prefix / "bin/hello", "#!/bin/sh\nsleep 3600 & wait\n")
    proof, problems = volume.prove()
    assert problems == []
    assert proof["not_run"] == ["hello@1.0"]


def test_who_is_started_is_nobody_in_an_empty_folder_with_nothing_to_read(volume):
    volume.write(volume.prefix / "bin/hello", '#!/bin/sh\necho "$(id -u) $(ls -A | wc -l) $(cat | wc -c)"\n')
    assert volume.prove()[0]["packages"][0]["output"] == "65534 0 0"


def test_of_programs_with_other_names_one_has_to_run(volume):
    (volume.prefix / "bin/hello").unlink()
    volume.write(volume.prefix / "bin/a-config", "#!/bin/sh\nexit 1\n").chmod(0o755)
    assert not volume.prove()[0]["passed"]
    volume.write(volume.prefix / "bin/b-tool", "#!/bin/sh\necho b\n").chmod(0o755)
    assert volume.prove()[0]["packages"][0]["command"] == "b-tool --version"


def test_the_seeds_own_command_takes_the_place_of_starting(volume):
    volume.write(volume.prefix / "bin/hello", "#!/bin/sh\nexit 1\n")
    volume.smoke = {"hello": f"test -x {volume.prefix}/bin/hello"}
    proof, problems = volume.prove()
    assert problems == []
    assert proof["packages"][0]["tried"] == "smoke"


def test_a_library_loads_and_is_said_not_to_have_run(volume):
    shutil.rmtree(volume.prefix / "bin")
    proof, problems = volume.prove()
    assert problems == []
    assert proof["not_run"] == ["hello@1.0"]
    assert proof["summary"] == "0 of 1 roots load and run in a clean room; 1 only load, nothing of them was run: hello@1.0"


def python_package(volume, text):
    """Make hello a package for this machine's Python, which stands for the volume's."""
    shutil.rmtree(volume.prefix / "bin")
    if not os.path.exists("/usr/bin/python3"):
        pytest.skip("the system's Python is missing; run: apt-get install python3")
    version = subprocess.run(["/usr/bin/python3", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    python = "python" + ".".join(version.split(".")[:2])
    site = volume.prefix / "lib" / python / "site-packages"
    volume.write(site / "hello/__init__.py", text)
    volume.write(site / "tests/__init__.py", "raise SystemExit('not meant to be imported')")
    volume.write(site / "hello-1.0.dist-info/METADATA", "Name: hello")
    # The module of a Python package says where its modules are, and brings its Python.
    volume.write(volume.paths["tcl"] + "/hello/1.0", "/usr/bin")
    profile = f"MODULES={volume.paths['tcl']}\n{PROFILE}export PYTHONPATH={site}\n"
    volume.write(volume.paths["profile"] + "/petal.sh", profile)
    return python


def test_a_python_package_is_imported(volume):
    python = python_package(volume, "print('a word of welcome')")
    proof, problems = volume.prove()
    assert problems == []
    assert proof["packages"][0]["tried"] == "imported"
    assert proof["packages"][0]["command"] == f"{python} -B -c 'import hello'"


@pytest.mark.parametrize("text", ["raise SystemExit", "raise SystemExit(0)", "import no_such", "import os; os.kill(os.getpid(), 11)"])
def test_a_python_package_that_cannot_be_imported_fails_the_proof(volume, text):
    python_package(volume, text)
    proof, problems = volume.prove()
    assert not proof["passed"]
    assert "import hello" in problems[0]


def test_a_missing_profile_script_is_found(volume):
    Path(volume.paths["profile"], "petal.sh").unlink()
    assert any("petal.sh" in problem for problem in volume.prove()[1])


def test_a_missing_module_is_found(volume):
    Path(volume.paths["tcl"], "hello/1.0").unlink()
    assert volume.prove()[1][0].startswith("hello@1.0: module load hello/1.0")


def test_a_program_that_is_not_the_volumes_own_does_not_count(volume):
    (volume.prefix / "bin/hello").rename(volume.prefix / "bin/hello.old")
    volume.write(volume.prefix / "bin/ls", "#!/bin/sh\n").chmod(0o755)
    (volume.prefix / "bin/hello.old").unlink()
    volume.write(volume.paths["tcl"] + "/hello/1.0", "/nowhere")
    assert "command -v ls" in volume.prove()[1][0]


def test_a_missing_shared_library_is_found_without_running_the_program(volume):
    volume.compile_against_a_library_that_then_goes()
    assert volume.prove()[1] == [f"{volume.prefix}/bin/hello lacks {volume.prefix}/lib/libgreet.so."]


def test_a_library_that_only_nodes_have_may_be_missing(volume):
    volume.compile_against_a_library_that_then_goes()
    volume.allowed = [f"{volume.prefix}/lib/libgreet.so"]
    assert volume.prove()[1] == []


def test_software_of_the_image_that_is_not_there_is_named_with_what_is(volume):
    prefix = volume.paths["mount_path"] + "/efa"
    volume.image = [{"name": "libfabric", "version": "1.22.0", "prefix": prefix, "version_from": "libfabric.pc"}]
    assert volume.prove()[1] == [f"The image has no libfabric in {prefix}; the seed takes libfabric 1.22.0 from it."]
    volume.write(prefix + "/lib64/pkgconfig/libfabric.pc", "Name: libfabric\nVersion: 1.18.2amzn1.0\n")
    assert volume.prove()[1] == [f"The image has libfabric 1.18.2 in {prefix}; the seed takes 1.22.0 from it."]
    volume.write(prefix + "/lib64/pkgconfig/libfabric.pc", "Name: libfabric\nVersion: 1.22.0amzn1.0\n")
    assert volume.prove()[1] == []


def test_a_program_of_the_image_says_its_own_version(volume):
    prefix = volume.paths["mount_path"] + "/slurm"
    volume.image = [{"name": "slurm", "version": "24.05.8", "prefix": prefix, "version_from": "bin/sinfo --version"}]
    assert not volume.prove()[0]["passed"]
    volume.write(prefix + "/bin/sinfo", "#!/bin/sh\necho slurm 24.05.8\n").chmod(0o755)
    assert volume.prove()[0]["image_software"][0]["found"] == "24.05.8"


@pytest.fixture
def elsewhere():
    """Make a folder of this machine, outside of the volume, and remove it again."""
    made = []

    def make(parent):
        Path(parent).mkdir(exist_ok=True)
        made.append(tempfile.mkdtemp(prefix="petal-test-", dir=parent))
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder)


@pytest.mark.parametrize("parent", ["/usr/local/lib", "/opt"])
def test_what_was_put_on_the_build_host_by_hand_does_not_count(volume, elsewhere, parent):
    library = volume.compile_against_a_library_in(elsewhere(parent))
    proof, problems = volume.prove()
    assert not proof["passed"]
    assert problems == [f"{volume.prefix}/bin/hello lacks {library}."]


def test_software_of_the_image_that_the_seed_names_counts_with_what_lies_beside_it(volume, elsewhere):
    folder = elsewhere("/opt")
    volume.compile_against_a_library_in(f"{folder}/efa/lib")
    volume.write(f"{folder}/openmpi/bin/ompi_info", "#!/bin/sh\necho 4.1.7\n").chmod(0o755)
    Path(folder).chmod(0o755)
    prefix = f"{folder}/openmpi"
    volume.image = [{"name": "openmpi", "version": "4.1.7", "prefix": prefix, "version_from": "bin/ompi_info --version"}]
    proof, problems = volume.prove()
    assert problems == []
    assert proof["packages"][0]["tried"] == "started"


needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs a Debian or Ubuntu machine")


@needs_dpkg
def test_a_library_of_no_package_does_not_count(volume, elsewhere):
    library = volume.compile_against_a_library_in(elsewhere("/srv"))
    assert volume.prove()[1] == [
        f"{volume.prefix}/bin/hello needs {library} of the build host, which belongs to no package of the image: a node need not have it."
    ]


@needs_dpkg
def test_a_library_of_a_package_that_came_for_the_build_does_not_count(volume):
    volume.compile_for("native", code="int main(void) { return 0; }", path="lib/python3/site-packages/deep/plain.so")
    subprocess.run([sys.executable, PROVE.with_name("node_libraries.py"), volume.image_packages], check=True)
    assert volume.prove()[1] == []
    image = volume.image_packages.read_text().split()
    image.remove("libc6")
    volume.image_packages.write_text("\n".join(image))
    proof, problems = volume.prove()
    assert {foreign["why"] for foreign in proof["foreign_libraries"]} == {"belongs to libc6, which was installed for the build"}
    assert problems[0].startswith(f"{volume.prefix}/lib/python3/site-packages/deep/plain.so needs /lib")


@needs_dpkg
def test_the_packages_of_the_image_are_noted_once(tmp_path):
    note = tmp_path / "petal/image_packages"
    for _again in range(2):
        subprocess.run([sys.executable, PROVE.with_name("node_libraries.py"), note], check=True)
        assert "libc6" in note.read_text().split() or note.read_text() == "only this\n"
        note.write_text("only this\n")
    assert note.read_text() == "only this\n"


on_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="compiles for x86_64")


@on_x86_64
def test_a_build_above_the_target_is_found_wherever_it_lies(volume):
    volume.compile_for("x86-64-v4", "lib/python3/site-packages/deep/fast.so")
    proof, (problem,) = volume.prove()
    assert not proof["passed"]
    assert problem.startswith(f"{volume.prefix}/lib/python3/site-packages/deep/fast.so holds code beyond the target x86_64_v3: `v")
    assert problem.endswith("needs avx512f.")


@on_x86_64
def test_a_build_for_the_target_passes(volume):
    volume.compile_for("x86-64-v3")
    assert volume.prove()[1] == []


@on_x86_64
def test_code_that_asks_the_cpu_first_is_listed_and_not_judged(volume):
    clones = '__attribute__((target_clones("avx512f", "default")))' + LOOP.replace("main", "f")
    volume.compile_for("x86-64", code=DATA + clones + "int main(void) { return f(1, 0); }")
    proof, problems = volume.prove()
    assert problems == []
    assert proof["chooses_at_run_time"] == [f"{volume.prefix}/bin/compiled"]


@on_x86_64
def test_a_package_can_be_left_unjudged(volume):
    volume.compile_for("x86-64-v4")
    volume.not_judged = ["hello"]
    assert volume.prove()[1] == []


@pytest.fixture
def secret():
    """A file of the build host, outside the volume."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    (folder / "secret").touch()
    yield folder / "secret"
    shutil.rmtree(folder)


def test_files_of_the_build_host_cannot_be_seen_when_covered(volume, secret):
    volume.smoke = {"hello": f"test -e {secret}"}
    assert volume.prove()[0]["passed"]
    volume.hide = [str(secret.parent)]
    assert not volume.prove()[0]["passed"]


@pytest.mark.parametrize("command", ["touch {volume}/new", "touch /usr/new", 'test -n "$(ls -A $HOME)"'])
def test_the_volume_is_read_only_and_the_home_is_empty(volume, command):
    # As ParallelCluster sets it on a shared volume: only the read-only mount can refuse.
    Path(volume.paths["mount_path"]).chmod(0o1777)
    volume.smoke = {"hello": command.format(volume=volume.paths["mount_path"])}
    assert not volume.prove()[0]["passed"]


def test_nothing_stays_mounted(volume):
    before = Path("/proc/self/mounts").read_text()
    volume.prove()
    assert Path("/proc/self/mounts").read_text() == before
