# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prove that the software volume works on its own: read-only, in an empty home, without the build host's files.

usage: python3 prove.py SETTINGS   prints the proof as JSON; exit code 1 when something does not work

Every package that was asked for is loaded by a user who owns nothing, through the volume's own profile script, and runs its smoke command;
without one a program of it is started, and its Python modules are imported. Every program on the volume must find its shared libraries, and
hold no code beyond the CPU target.
SETTINGS is the JSON file that build.py reads, with {"smoke": {package: command}, "hide": [directories to cover],
"allowed_missing_libraries": [names a build host cannot have], "timeout": seconds for one package, "target": archspec's name of
the CPU, "features": what that CPU has, "allowed_beyond_target": [packages whose code is not judged],
"image_software": [what has to be on the image, see image_software.py], "image_packages": a file with the names of the image's own
packages, see node_libraries.py}.
Needs root, for the mount namespace. Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import contextlib
import glob
import json
import os
import platform
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import hot_list
import image_software
import instructions
import node_libraries

NOBODY = 65534
HOME = "/tmp/home"
TAIL_LINES = 20
# A program that only says who it is needs less, and one that waits for ever has started.
START_SECONDS = 20
START_BYTES = 16 << 20
# As few programs as may be are started: the one named as the package, or else the first of these that answers.
PROGRAMS_TO_START = 3
NOT_STARTED = (126, 127)  # of the shell: not executable or no interpreter; not found or, by the linker, a library missing
# Not above: many programs return -1, which is 255, with their usage. A program that writes too much has started.
SIGNALS = {128 + number for number in range(1, 65)} - {128 + signal.SIGXFSZ}
OUT_OF_TIME = 124
# What lies beside a package's modules and is not meant to be imported.
NO_MODULES = re.compile(r"_.*|tests?|testing|examples?|docs?|benchmarks?|conftest|setup")
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
SHELLS = {
    "bash": ["bash", "--noprofile", "--norc"],
    "sh": ["sh"],
    "zsh": ["zsh", "-f"],
    "csh": ["csh", "-f"],
    "tcsh": ["tcsh", "-f"],
    "fish": ["fish", "--no-config"],
}
# The profile script of a shell, by the word that sources it.
PROFILES = {"csh": ("source", "csh"), "tcsh": ("source", "csh"), "fish": ("source", "fish")}
LIBRARY_NOT_OPENED = re.compile(r"(\S+): cannot open shared object file")
# Whatever else is covered: who tries the packages has a home in the first, and what lies in the others was put there by hand.
ALWAYS_HIDDEN = ("/tmp", "/usr/local", "/opt")


class Room:
    """A mount namespace of this process: the volume read-only, and `hide` covered by empty directories, but for what is in `kept`."""

    def __init__(self, mount_path, hide, kept):
        self.mount_path = mount_path
        self.hide = sorted({*ALWAYS_HIDDEN, *hide})
        covered = tuple(directory.rstrip("/") + "/" for directory in self.hide)
        self.kept = [mount_path, *sorted(path for path in kept if (path + "/").startswith(covered) and os.path.isdir(path))]

    def enter(self):
        """Cover what the build host has and a node has not. The volume may lie under a covered directory."""
        aside = {path: tempfile.mkdtemp(dir="/run") for path in self.kept}
        for path, place in aside.items():
            run("mount", "--bind", path, place)
        # Sorted, so that what lies below a covered directory is gone when its turn comes.
        for directory in filter(os.path.isdir, self.hide):
            run("mount", "-t", "tmpfs", "-o", "mode=1777", "petal-proof", directory)
        for path, place in aside.items():
            os.makedirs(path, exist_ok=True)
            run("mount", "--bind", place, path)
            run("mount", "-o", "remount,bind,ro", path)
            run("umount", place)
            os.rmdir(place)
        os.mkdir(HOME)
        os.chown(HOME, NOBODY, NOBODY)


class Proof:
    """What is checked in the room, and what came out."""

    def __init__(self, settings, image):
        self.settings = settings
        self.image = image
        self.paths = settings["paths"]
        with open(self.paths["packages"], encoding="utf-8") as packages:
            self.packages = json.load(packages)
        self.roots = [package for package in self.packages if package["root"]]

    def run(self):
        started = time.time()
        hot_list.forget(self.paths["mount_path"])
        packages = [self.prove_package(package) for package in self.roots]
        shells = [self.prove_shell(shell) for shell in sorted(SHELLS) if shutil.which(shell)]
        # Here, because the next checks read every program.
        read = hot_list.read_since(self.paths["mount_path"])
        image = image_software.look(self.settings["image_software"])
        libraries = node_libraries.look(list(elf_files(self.prefixes())))
        missing = self.missing_libraries(libraries)
        foreign = self.foreign_libraries(libraries)
        beyond = self.beyond_target()
        exceeding = [found for found in beyond if not found["asks"]]
        there = all(software["found"] == software["version"] for software in image)
        passed = there and not missing and not foreign and not exceeding and all(result["passed"] for result in packages + shells)
        with open(self.paths["status"], encoding="utf-8") as status:
            inputs = json.load(status)["inputs"]
        return {
            "passed": passed,
            "summary": summary(packages),
            "not_run": [result["package"] for result in packages if result["tried"] == "loaded"],
            "inputs": inputs,
            "smoke": self.settings["smoke"],
            "time": started,
            "seconds": round(time.time() - started, 1),
            "image_software": image,
            "packages": packages,
            "shells": shells,
            "hot_list": read,
            "missing_libraries": missing,
            "foreign_libraries": foreign,
            "target": self.settings["target"],
            "beyond_target": exceeding,
            "chooses_at_run_time": [found["file"] for found in beyond if found["asks"]],
        }

    def prove_package(self, package):
        """Load one package as a user would, and run its smoke command, or else what can be run without knowing it.

        The result's `tried` says what was done: "smoke", "started", "imported", or "loaded" where there was nothing to run.
        """
        smoke = self.settings["smoke"].get(package["name"])
        command = smoke or default_smoke(package)
        modules = self.modules(package)
        result = self.in_shell("bash", "module load {} && {}".format(modules, command or "true"))
        result = dict(result, tried="smoke" if smoke else "loaded", command=command)
        if result["passed"] and not smoke and not package["external"]:
            for run in (self.start, self.import_modules):
                result = dict(result, **(run(package, modules) if result["passed"] else {}))
        return dict(result, package="{name}@{version}".format(**package), module=modules)

    def start(self, package, modules):
        """Start a program of the package and return what came out; nothing where there is none."""
        if os.path.realpath(self.paths["lmod_program"]).startswith(package["prefix"] + "/"):
            # Every package was loaded by it.
            return {"tried": "started"}
        result = {}
        for program in programs_to_start(package):
            result = self.start_program(os.path.join(package["prefix"], "bin", program), modules)
            if result["passed"]:
                break
        return result

    def start_program(self, path, modules):
        """Start one program. Many end with an error code after they have said how they are used, so what they say counts, too."""
        if is_elf(path) and node_libraries.needed(path)[0]:
            # Named among the missing libraries, or one that only nodes have.
            return {"passed": True}
        for arguments in ("--version", "--help", ""):
            command = f"{os.path.basename(path)} {arguments}".rstrip()
            line = f"module load {modules} >/dev/null 2>&1 && exec {shlex.quote(path)} {arguments}"
            said = self.in_shell("bash", line, seconds=START_SECONDS, file_bytes=START_BYTES)
            if said["code"] == OUT_OF_TIME or self.needs_a_node(said["output"]):
                return {"passed": True}
            ended = said["code"] not in NOT_STARTED and said["code"] not in SIGNALS
            if said["code"] == 0 or (ended and said["output"]):
                return {"passed": True, "tried": "started", "command": command, "code": said["code"], "output": said["output"]}
        output = said["output"] or "it says nothing, neither with --version nor with --help nor alone."
        return {"passed": False, "tried": "started", "command": command, "code": said["code"], "output": output}

    def import_modules(self, package, modules):
        """Import what the package adds to Python; return what came out, nothing where it adds nothing."""
        result = {}
        for python, name in python_modules(package):
            command = f"{python} -B -c 'import {name}'"
            # Whether it was imported is said by what follows: a module that ends Python need not end it with an error.
            line = f"module load {modules} >/dev/null 2>&1 && exec {python} -B -c 'import {name}; print(\"imported\")'"
            said = self.in_shell("bash", line)
            if self.needs_a_node(said["output"]):
                return {"passed": True, "tried": "loaded"}
            passed = said["code"] == 0 and said["output"].splitlines()[-1:] == ["imported"]
            output = said["output"] or "it ends Python."
            result = {"passed": passed, "tried": "imported", "command": command, "code": said["code"], "output": output}
            if not passed:
                break
        return result

    def modules(self, package):
        """Return what to load for a package: before its own module those that open its level of Lmod's tree, where Lmod is what is used."""
        lmod = os.path.isdir(self.paths["lmod_program"])
        return " ".join([*(package.get("needs", []) if lmod else []), package["module"]])

    def prove_shell(self, shell):
        """Source the profile twice, as nested login shells do, and load the first package."""
        result = self.in_shell(shell, f"module load {self.modules(self.roots[0])}", sourced=2)
        return dict(result, shell=shell)

    def needs_a_node(self, output):
        """Whether what was started misses a library that only nodes have."""
        return bool(set(LIBRARY_NOT_OPENED.findall(output)) & set(self.settings["allowed_missing_libraries"]))

    def in_shell(self, shell, command, sourced=1, seconds=None, file_bytes=resource.RLIM_INFINITY):
        """Run a command as nobody, in an empty home and an empty folder, after `sourced` times the volume's profile script."""
        seconds = min(seconds or self.settings["timeout"], self.settings["timeout"])
        word, kind = PROFILES.get(shell, (".", "sh"))
        source = "{} {}/petal.{}\n".format(word, self.paths["profile"], kind)
        script = source * sourced + command + "\n"
        environment = {"HOME": HOME, "PATH": SYSTEM_PATH, "USER": "nobody", "LOGNAME": "nobody", "SHELL": "/bin/" + shell, "LANG": "C"}
        # Into a file, which what a program leaves running cannot keep open for us.
        with tempfile.TemporaryFile() as said, empty_folder() as folder:
            process = subprocess.Popen(
                [*SHELLS[shell], "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                preexec_fn=lambda: become_nobody(file_bytes),  # noqa: PLW1509  # there are no threads yet
                start_new_session=True,
            )
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                code = OUT_OF_TIME
            end_session(process)
            said.seek(0)
            output = said.read().decode(errors="replace")
        code = 128 - code if code < 0 else code
        if code == OUT_OF_TIME:
            output += f"\nIt did not end within {seconds} seconds."
        # A failing `module load` of Environment Modules 4 returns 0 and says ERROR.
        passed = code == 0 and not re.search(r"^(ERROR|Lmod has detected the following error)", output, re.MULTILINE)
        return {"passed": passed, "code": code, "output": "\n".join(output.rstrip().splitlines()[-TAIL_LINES:])}

    def missing_libraries(self, libraries):
        """Return [{"file", "libraries"}] for the programs and libraries of the volume that lack a shared library."""
        allowed = set(self.settings["allowed_missing_libraries"])
        lacking = [(path, sorted(libraries[path][0] - allowed)) for path in directly_in_use(libraries, self.prefixes())]
        return [{"file": path, "libraries": missing} for path, missing in lacking if missing]

    def foreign_libraries(self, libraries):
        """Return [{"file", "library", "why"}] for each library of the build host that a node need not have, with one file that needs it."""
        allowed = set(self.settings["allowed_missing_libraries"])
        needed_by = {}
        for path, (_missing, found) in libraries.items():
            for library in found:
                needed_by.setdefault(library, path)
        foreign = [(library, self.image.lacks(library)) for library in sorted(needed_by) if os.path.basename(library) not in allowed]
        return [{"file": needed_by[library], "library": library, "why": why} for library, why in foreign if why]

    def beyond_target(self):
        """Return the files with instructions that the target lacks; see instructions.py."""
        inside = elf_files(self.prefixes(but=self.settings["allowed_beyond_target"]))
        # The linker enters such a directory only on a CPU that it is for.
        files = [path for path in inside if "/glibc-hwcaps/" not in path]
        return instructions.beyond_target(files, platform.machine(), self.settings["features"])

    def prefixes(self, but=()):
        return [package["prefix"] for package in self.packages if not package["external"] and package["name"] not in but]


def summary(packages):
    """Say what was done to the packages: loading is one thing and running another."""
    loaded = [result["package"] for result in packages if result["tried"] == "loaded"]
    ran = len(packages) - len(loaded)
    only = f"{len(loaded)} only load, nothing of them was run: {', '.join(loaded)}" if loaded else ""
    return "; ".join(filter(None, [f"{ran} of {len(packages)} roots load and run in a clean room", only]))


def default_smoke(package):
    """Return a command that finds a program of the package on the PATH, in its own prefix; None when it has no programs."""
    directory = os.path.join(package["prefix"], "bin")
    programs = executables(directory)
    if not programs:
        return None
    program = package["name"] if package["name"] in programs else programs[0]
    return f'test "$(command -v {program})" = {directory}/{program}'


def executables(directory):
    if not os.path.isdir(directory):
        return []
    paths = [(name, os.path.join(directory, name)) for name in sorted(os.listdir(directory))]
    return [name for name, path in paths if os.path.isfile(path) and os.access(path, os.X_OK)]


def directly_in_use(paths, prefixes):
    """Yield the programs, and the libraries that lie directly in lib or lib64, of each prefix."""
    directories = {os.path.join(prefix, name) for prefix in prefixes for name in ("bin", "sbin", "lib", "lib64")}
    return (path for path in paths if os.path.dirname(path) in directories)


def declared(settings):
    """Return where software of the image lies that the seed or the role names: with it comes what its vendor has put beside it."""
    with open(settings["paths"]["packages"], encoding="utf-8") as packages:
        prefixes = [package["prefix"] for package in json.load(packages) if package["external"]]
    prefixes += [software["prefix"] for software in settings["image_software"]]
    # Two levels: /opt/amazon, for an Open MPI in /opt/amazon/openmpi needs the libfabric in /opt/amazon/efa.
    in_opt = {"/".join(prefix.split("/")[:3]) for prefix in prefixes if prefix.startswith("/opt/")}
    in_local = {prefix.rstrip("/") for prefix in prefixes if (prefix + "/").startswith("/usr/local/")}
    return sorted(in_opt | in_local | ({"/opt/amazon", "/opt/pmix", "/opt/slurm"} if in_opt else set()))


def elf_files(directories):
    """Yield all programs and libraries below some directories, plugins and object files too."""
    for directory in sorted(directories):
        for inside, _subdirectories, names in os.walk(directory):
            for path in (os.path.join(inside, name) for name in sorted(names)):
                if not os.path.islink(path) and os.path.isfile(path) and is_elf(path):
                    yield path


def is_elf(path):
    with open(path, "rb") as content:
        return content.read(4) == b"\x7fELF"


def programs_to_start(package):
    """Return the names of the programs to try, the package's own program alone where it has one."""
    names = executables(os.path.join(package["prefix"], "bin"))
    return [package["name"]] if package["name"] in names else names[:PROGRAMS_TO_START]


def python_modules(package):
    """Yield (Python, module) for each module that a package adds to a Python, but not those of Python's own package."""
    for folder in sorted(glob.glob(os.path.join(package["prefix"], "lib*", "python3*", "site-packages"))):
        if package["name"] == "python" or os.path.islink(os.path.dirname(os.path.dirname(folder))):
            continue
        for entry in sorted(os.listdir(folder)):
            name = entry.split(".")[0]
            path = os.path.join(folder, entry)
            there = os.path.isfile(os.path.join(path, "__init__.py")) if os.path.isdir(path) else entry.endswith((".py", ".so"))
            if there and name.isidentifier() and not NO_MODULES.fullmatch(name):
                yield os.path.basename(os.path.dirname(folder)), name


@contextlib.contextmanager
def empty_folder():
    """Give nobody a folder for one command."""
    folder = tempfile.mkdtemp(dir="/tmp")
    os.chown(folder, NOBODY, NOBODY)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def end_session(process):
    """End a process and what it has left running."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def become_nobody(file_bytes):
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def run(*command):
    subprocess.run(command, check=True)


def main(arguments):
    if os.environ.get("PETAL_PROOF_ROOM") != "yes":
        # Once more, in a mount namespace of its own: whatever is mounted there ends with the process.
        os.environ["PETAL_PROOF_ROOM"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, os.path.realpath(__file__), *arguments])
    with open(arguments[0], encoding="utf-8") as content:
        if os.fstat(content.fileno()).st_uid != os.getuid():
            sys.exit(f"{arguments[0]} says what is to be proven, and belongs to another user. Let the role write it: run it whole.")
        settings = json.load(content)
    # Before its place may be covered.
    image = node_libraries.Image(settings.get("image_packages"), [settings["paths"]["mount_path"], *declared(settings)])
    Room(settings["paths"]["mount_path"], settings["hide"], declared(settings)).enter()
    proof = Proof(settings, image).run()
    print(json.dumps(proof, indent=1, sort_keys=True))
    return 0 if proof["passed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
