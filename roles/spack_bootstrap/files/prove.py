# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prove that the software volume works on its own: read-only, in an empty home, without the build host's files.

usage: python3 prove.py SETTINGS   prints the proof as JSON; exit code 1 when something does not work

Every package that was asked for is loaded by a user who owns nothing, through the volume's own profile script, and
runs its smoke command; every program on the volume must find its shared libraries, and hold no code beyond the CPU target.
SETTINGS is the JSON file that build.py reads, with {"smoke": {package: command}, "hide": [directories to cover],
"allowed_missing_libraries": [names a build host cannot have], "timeout": seconds for one package, "target": archspec's name of
the CPU, "features": what that CPU has, "allowed_beyond_target": [packages whose code is not judged],
"image_software": [what has to be on the image, see image_software.py]}.
Needs root, for the mount namespace. Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time

import hot_list
import image_software
import instructions

NOBODY = 65534
HOME = "/tmp/home"
TAIL_LINES = 20
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
MISSING_LIBRARY = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)


class Room:
    """A mount namespace of this process: the volume read-only, and `hide` covered by empty directories."""

    def __init__(self, mount_path, hide):
        self.mount_path = mount_path
        # /tmp in any case: it holds the empty home of who tries the packages.
        self.hide = sorted({"/tmp", *hide})

    def enter(self):
        """Cover what the build host has and a node has not. The volume may lie under a covered directory."""
        aside = tempfile.mkdtemp(dir="/run")
        run("mount", "--bind", self.mount_path, aside)
        # Sorted, so that what lies below a covered directory is gone when its turn comes.
        for directory in filter(os.path.isdir, self.hide):
            run("mount", "-t", "tmpfs", "-o", "mode=1777", "petal-proof", directory)
        os.makedirs(self.mount_path, exist_ok=True)
        run("mount", "--bind", aside, self.mount_path)
        run("mount", "-o", "remount,bind,ro", self.mount_path)
        run("umount", aside)
        os.rmdir(aside)
        os.mkdir(HOME)
        os.chown(HOME, NOBODY, NOBODY)


class Proof:
    """What is checked in the room, and what came out."""

    def __init__(self, settings):
        self.settings = settings
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
        missing = self.missing_libraries()
        beyond = self.beyond_target()
        exceeding = [found for found in beyond if not found["asks"]]
        there = all(software["found"] == software["version"] for software in image)
        passed = there and not missing and not exceeding and all(result["passed"] for result in packages + shells)
        with open(self.paths["status"], encoding="utf-8") as status:
            inputs = json.load(status)["inputs"]
        return {
            "passed": passed,
            "inputs": inputs,
            "smoke": self.settings["smoke"],
            "time": started,
            "seconds": round(time.time() - started, 1),
            "image_software": image,
            "packages": packages,
            "shells": shells,
            "hot_list": read,
            "missing_libraries": missing,
            "target": self.settings["target"],
            "beyond_target": exceeding,
            "chooses_at_run_time": [found["file"] for found in beyond if found["asks"]],
        }

    def prove_package(self, package):
        """Load one package as a user would, and run its smoke command."""
        command = self.settings["smoke"].get(package["name"]) or default_smoke(package)
        modules = self.modules(package)
        result = self.in_shell("bash", "module load {} && {}".format(modules, command or "true"))
        return dict(result, package="{name}@{version}".format(**package), module=modules, command=command)

    def modules(self, package):
        """Return what to load for a package: before its own module those that open its level of Lmod's tree, where Lmod is what is used."""
        lmod = os.path.isdir(self.paths["lmod_program"])
        return " ".join([*(package.get("needs", []) if lmod else []), package["module"]])

    def prove_shell(self, shell):
        """Source the profile twice, as nested login shells do, and load the first package."""
        result = self.in_shell(shell, f"module load {self.modules(self.roots[0])}", sourced=2)
        return dict(result, shell=shell)

    def in_shell(self, shell, command, sourced=1):
        """Run a command as nobody, in an empty home, after `sourced` times the volume's profile script."""
        word, kind = PROFILES.get(shell, (".", "sh"))
        source = "{} {}/petal.{}\n".format(word, self.paths["profile"], kind)
        script = source * sourced + command + "\n"
        environment = {"HOME": HOME, "PATH": SYSTEM_PATH, "USER": "nobody", "LOGNAME": "nobody", "SHELL": "/bin/" + shell, "LANG": "C"}
        try:
            done = subprocess.run(
                [*SHELLS[shell], "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=HOME,
                preexec_fn=become_nobody,
                timeout=self.settings["timeout"],
                check=False,
            )
            code, output = done.returncode, done.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired as expired:
            code = 124
            output = (expired.stdout or b"").decode(errors="replace") + f"\nIt did not end within {self.settings['timeout']} seconds."
        # A failing `module load` of Environment Modules 4 returns 0 and says ERROR.
        passed = code == 0 and not re.search(r"^(ERROR|Lmod has detected the following error)", output, re.MULTILINE)
        return {"passed": passed, "code": code, "output": "\n".join(output.rstrip().splitlines()[-TAIL_LINES:])}

    def missing_libraries(self):
        """Return [{"file", "libraries"}] for the programs and libraries of the volume that lack a shared library."""
        found = []
        for path in directly_in_use(self.prefixes()):
            listed = subprocess.run(["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
            missing = set(MISSING_LIBRARY.findall(listed.decode(errors="replace")))
            libraries = sorted(missing - set(self.settings["allowed_missing_libraries"]))
            if libraries:
                found.append({"file": path, "libraries": libraries})
        return found

    def beyond_target(self):
        """Return the files with instructions that the target lacks; see instructions.py."""
        inside = elf_files(self.prefixes(but=self.settings["allowed_beyond_target"]))
        # The linker enters such a directory only on a CPU that it is for.
        files = [path for path in inside if "/glibc-hwcaps/" not in path]
        return instructions.beyond_target(files, platform.machine(), self.settings["features"])

    def prefixes(self, but=()):
        return [package["prefix"] for package in self.packages if not package["external"] and package["name"] not in but]


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


def directly_in_use(prefixes):
    """Yield the programs, and the libraries that lie directly in lib or lib64, of each prefix."""
    directories = {os.path.join(prefix, name) for prefix in prefixes for name in ("bin", "sbin", "lib", "lib64")}
    return (path for path in elf_files(directories) if os.path.dirname(path) in directories)


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


def become_nobody():
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
        settings = json.load(content)
    Room(settings["paths"]["mount_path"], settings["hide"]).enter()
    proof = Proof(settings).run()
    print(json.dumps(proof, indent=1, sort_keys=True))
    return 0 if proof["passed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
        if os.fstat(content.fileno()).st_uid != os.getuid():
            sys.exit(f"{arguments[0]} says what is to be proven, and belongs to another user. Let the role write it: run it whole.")
