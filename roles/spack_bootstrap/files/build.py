# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build the Spack environment on this volume: concretise, install, tidy up, write modules and what the volume holds.

usage: python3 build.py SETTINGS           build; a stage that an earlier run finished is skipped
       python3 build.py SETTINGS --report  print what is built, as JSON, and build nothing

It runs as a user who owns nothing else, and needs nobody to watch it: a build outlives the controller that started it, and can be
taken up on another host. Where it stands is in status.json, what Spack says is in build.log.
SETTINGS is a JSON file: {"paths": see _core/software/layout.py, "jobs": processes, 0 for all cores, "repos": [directories of recipes],
"mirrors": whether there are mirrors with finished packages, "push_to": {"url",
"endpoint_url"} of a cache to copy finished packages to, "keep_build_cache": bool, "keep_build_dependencies": bool,
"module_defaults": {package: version that is loaded where none is named}}.
Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time

from push_cache import Pusher
from sbom import sbom
from volume_sync import VolumeSync

TAIL_LINES = 40
SHORT_HASH = 7
# What Spack says of a package in work and of a finished one; of a package that was there before it says at most the second.
WORKED_ON = re.compile(r"^\[ \] (?P<hash>[a-z2-7]+) \S+ (?P<phase>\S+)")
FINISHED = re.compile(r"^\[\+\] (?P<hash>[a-z2-7]+) ")
SOLVER_KIB = 2 << 20  # of memory, for one
OUT_OF_TIME = re.compile(r"Spack is taking more than \d+ seconds to solve")
FAILURE = re.compile(r"^\[x\] (?P<hash>[a-z2-7]+) (?P<package>\S+) failed: (?P<log>\S+)")


class StageFailed(Exception):
    """A command of a stage ended with an error; the message says which."""


class Build:
    """One build of one environment; every method named in STAGES is one stage."""

    # Modules last: what only the builds needed is gone by then and gets none.
    STAGES = ("concretize", "install", "tidy", "modules", "describe")

    def __init__(self, settings):
        self.settings = settings
        self.paths = settings["paths"]
        self.status = read_json(self.paths["status"], default={})

    def inputs(self):
        """Return one SHA-256 of everything that decides what is built: commits of Spack and its recipes, configuration, environment."""
        digest = hashlib.sha256(commit(self.paths["root"]))
        # Without them, the repositories of a site take their place.
        if os.path.exists(os.path.join(self.paths["recipes"], ".git")):
            digest.update(commit(self.paths["recipes"]))
        for path in sorted(self.input_files()):
            digest.update(path.encode() + b"\0")
            with open(path, "rb") as content:
                digest.update(content.read() + b"\0")
        return digest.hexdigest()

    def input_files(self):
        yield self.paths["environment"]
        for name in os.listdir(self.paths["configuration"]):
            if name.endswith(".yaml"):
                yield os.path.join(self.paths["configuration"], name)
        for repo in self.settings["repos"]:
            for directory, _subdirectories, names in os.walk(repo):
                yield from (os.path.join(directory, name) for name in names if not name.endswith(".pyc"))

    def report(self):
        """Return whether a build is needed, what the last one came to, and whether it is proven."""
        done = self.status.get("state") == "done" and self.status.get("inputs") == self.inputs() and os.path.exists(self.paths["lock"])
        proof = read_json(self.paths["proof"], default={})
        same = {"inputs": self.status.get("inputs"), "smoke": self.settings["smoke"], "passed": True}
        return {
            "needed": not done,
            "status": self.status,
            "lock": read_json(self.paths["lock"], default={}),
            "proof": proof,
            # Only root writes proofs; whose scripts the build runs could write a file of that name, too.
            "proven": done and owner(self.paths["proof"]) == 0 and {name: proof.get(name) for name in same} == same,
        }

    def run(self):
        """Build, stage by stage; return the exit code."""
        # Before anything can go wrong: an old result must not be taken for this run's.
        self.save(state="running", stage="start")
        inputs = self.inputs()
        finished = self.status.get("stages", {}) if self.status.get("inputs") == inputs else {}
        self.status = {
            "inputs": inputs,
            "state": "running",
            "started": time.time(),
            "stages": finished,
            "failures": [],
            "message": "",
            "not_pushed": "",
            "chosen_apart": "concretize" in finished and self.status.get("chosen_apart", False),
        }
        for stage in self.STAGES:
            if stage in finished:
                continue
            started = time.time()
            self.save(stage=stage)
            try:
                getattr(self, stage)()
            except StageFailed as problem:
                self.save(state="failed", message=str(problem), finished=time.time())
                return 1
            finished[stage] = round(time.time() - started, 1)
        self.save(state="done", finished=time.time())
        return 0

    def save(self, **changes):
        self.status.update(changes)
        write_json(self.paths["status"], self.status)

    def spack(self, *arguments):
        """Run Spack in the environment, its output into the log."""
        self.spack_at_once([arguments])

    def spack_at_once(self, commands):
        """Run one Spack for each command, side by side, as each takes a second to start; the log has what they say, mixed."""
        with open(self.paths["log"], "ab") as log:
            for arguments in commands:
                log.write("==> petal: spack {}\n".format(" ".join(arguments)).encode())
            log.flush()
            start = log.tell()
            spack = [self.paths["spack"], "-e", self.paths["petal"]]
            outputs = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
            running = [subprocess.Popen([*spack, *arguments], **outputs) for arguments in commands]
            failed = [process.returncode for process in running if process.wait()]
        if failed:
            command, said = " ".join(commands[0]), "\n".join(self.log_since(start)[-TAIL_LINES:])
            raise StageFailed(f"`spack {command}` ended with code {failed[0]}:\n{said}")

    def concretize(self):
        """Choose versions for all packages together; where the solver finds none in time, for each package alone.

        Packages that do not go together may keep the solver busy for hours, where each of them alone has an answer.
        """
        try:
            self.spack("concretize", "--force")
        except StageFailed as problem:
            if not OUT_OF_TIME.search(str(problem)):
                raise
            at_once = f"config:build_jobs:{solvers_at_once()}"
            self.spack("-c", "concretizer:unify:false", "-c", at_once, "concretize", "--force")
            self.save(chosen_apart=True)

    def install(self):
        jobs = self.settings["jobs"] or len(os.sched_getaffinity(0))
        start = os.path.getsize(self.paths["log"])
        # Looking into an empty cache costs as much as a small package.
        sources = [] if self.settings["mirrors"] or os.path.isdir(self.paths["build_cache"]) else ["--use-buildcache", "never"]
        before = {key[:SHORT_HASH] for key, prefix in self.prefixes().items() if os.path.isdir(prefix)}
        try:
            with VolumeSync(self.paths["mount_path"], self.paths["log"]), self.pushing():
                self.spack("install", "--jobs", str(jobs), *sources)
        except StageFailed:
            self.status["failures"] = self.failures(start)
            if not self.status["failures"]:
                raise
            names = ", ".join(failure["package"] for failure in self.status["failures"])
            raise StageFailed(f"{names} failed to build.") from None
        finally:
            self.save(counts=self.counts(start, before))

    def counts(self, start, before):
        """Return how many packages this run has built, taken from a cache, and found on the volume."""
        log = self.log_since(start)
        phases = {}
        for found in filter(None, map(WORKED_ON.match, log)):
            phases.setdefault(found.group("hash"), set()).add(found.group("phase"))
        finished = {found.group("hash") for found in filter(None, map(FINISHED.match, log))} & set(phases)
        built = {key for key in finished if "install" in phases[key]}
        return {"built": len(built), "from_cache": len(finished - built), "kept": len(before - set(phases))}

    def log_since(self, start):
        """Return the lines of the log from that byte on."""
        with open(self.paths["log"], encoding="utf-8", errors="replace") as log:
            log.seek(start)
            return log.read().splitlines()

    @contextlib.contextmanager
    def pushing(self):
        """Copy each package to the other cache as soon as it is finished; where that fails, say so and go on."""
        push_to = self.settings["push_to"]
        pusher = Pusher(self.paths["build_cache"], push_to["url"], push_to["endpoint_url"]).start() if push_to["url"] else None
        try:
            yield
        finally:
            if pusher:
                pusher.stop()
                self.save(not_pushed=pusher.problem)

    def failures(self, start):
        """Return what failed since the log was `start` bytes long; keep each package's own log on the volume."""
        os.makedirs(self.paths["failures"], exist_ok=True)
        found = []
        for match in filter(None, map(FAILURE.match, self.log_since(start))):
            kept = os.path.join(self.paths["failures"], match.group("package") + "-" + match.group("hash")[:SHORT_HASH] + ".log")
            if os.path.exists(match.group("log")):
                shutil.copyfile(match.group("log"), kept)
            found.append(
                {
                    "package": match.group("package"),
                    "log": kept,
                    "tail": last_lines(read_text(kept)),
                    "dependents": self.dependents(match.group("hash")),
                }
            )
        return found

    def dependents(self, short_hash):
        """Return the packages that cannot be built without the one of this hash, nearest or not."""
        nodes = self.lock_nodes()
        missing = {key for key in nodes if key.startswith(short_hash)}
        grew = True
        while grew:
            above = {key for key, node in nodes.items() if missing & {needed["hash"] for needed in node.get("dependencies", [])}}
            grew = not above <= missing
            missing |= above
        return sorted(full_name(nodes[key]) for key in missing if not key.startswith(short_hash))

    def modules(self):
        """Write both module trees, with hashes in the names only where two packages would share one."""
        try:
            self.write_modules(hash_length=0)
        except StageFailed as problem:
            if "Name clashes" not in str(problem):
                raise
            self.write_modules(hash_length=SHORT_HASH)

    def write_modules(self, hash_length):
        commands = []
        for kind in ("lmod", "tcl"):
            length = f"modules:default:{kind}:hash_length:{hash_length}"
            enable = f"modules:default:enable:[{kind}]"
            commands.append(("-c", length, "-c", enable, "module", kind, "refresh", "--delete-tree", "-y"))
        self.spack_at_once(commands)
        packages = self.packages(hash_length)
        write_json(self.paths["packages"], packages)
        self.check_defaults()
        lmod = [package["prefix"] for package in packages if package["name"] == "lmod" and package["root"]]
        if lmod:
            link(os.path.join(lmod[0], "lmod", "lmod"), self.paths["lmod_program"])

    def check_defaults(self):
        """Spack says nothing of a default that it has not found."""
        for name, version in sorted(self.settings["module_defaults"].items()):
            if not os.path.lexists(os.path.join(self.paths["tcl"], name, "default")):
                raise StageFailed(f"{name}@{version} is to be loaded where no version is named, but was not built.")

    def packages(self, hash_length):
        """Return every package of the lock: name, version, hash, prefix, whether it was asked for, and its module if so."""
        with open(self.paths["lock"], encoding="utf-8") as lock:
            roots = {root["hash"] for root in json.load(lock)["roots"]}
        listed = []
        for key, node in self.lock_nodes().items():
            package = {"name": node["name"], "version": str(node.get("version", "")), "hash": key, "root": key in roots}
            package["external"] = "external" in node
            package["prefix"] = node["external"]["path"] if "external" in node else self.prefix(key, node)
            if package["root"]:
                package["module"] = module_name(package, hash_length)
            listed.append(package)
        levels = self.levels()
        for package in filter(lambda package: package["root"], listed):
            opened_by = levels.get(package["module"], [])
            package["needs"] = [module_name(other, hash_length) for level in opened_by for other in listed if opens(other, level)]
        return sorted(listed, key=lambda package: (package["name"], package["version"], package["hash"]))

    def levels(self):
        """Return what opens the level of Lmod's tree on which each module lies: pairs of name and version, a compiler first, or nothing.

        The way to a level is made of NAME/VERSION-HASH of an MPI, and NAME/VERSION of a compiler or Core.
        """
        found = {}
        for directory, _subdirectories, names in os.walk(self.paths["lmod"]):
            way = os.path.relpath(directory, self.paths["lmod"]).split(os.sep)
            parts = [part for part in way[:-1] if part != "Core"]
            for name in names:
                if name.endswith(".lua"):
                    found[way[-1] + "/" + name[: -len(".lua")]] = [parts[start : start + 2] for start in range(0, len(parts), 2)][::-1]
        return found

    def describe(self):
        """Write the software bill of materials, and note how much the volume holds."""
        packages = read_json(self.paths["packages"], default=[])
        present = [package for package in packages if not package["external"] and os.path.isdir(package["prefix"])]
        write_json(self.paths["sbom"], sbom(self.paths["mount_path"], present, self.lock_nodes(), time.time()))
        disk = os.statvfs(self.paths["mount_path"])
        self.status["size"] = {"bytes": (disk.f_blocks - disk.f_bfree) * disk.f_frsize, "files": disk.f_files - disk.f_ffree}

    def prefix(self, key, node):
        return os.path.join(self.paths["software"], "-".join([node["name"], str(node.get("version", "")), key[:SHORT_HASH]]))

    def prefixes(self):
        """Return the prefix of every package of the lock that is not external, by hash."""
        return {key: self.prefix(key, node) for key, node in self.lock_nodes().items() if "external" not in node}

    def prefixes_to_keep(self):
        """Return the prefixes that Spack would not remove: of what was asked for, and of what that needs when it runs."""
        if self.settings["keep_build_dependencies"]:
            return set(self.prefixes().values())
        nodes = self.lock_nodes()
        kept, found = set(), {root["hash"] for root in read_json(self.paths["lock"], default={})["roots"]}
        while found:
            kept |= found
            found = {needed["hash"] for key in found for needed in nodes[key].get("dependencies", []) if needed_to_run(needed)} - kept
        return {prefix for key, prefix in self.prefixes().items() if key in kept}

    def lock_nodes(self):
        with open(self.paths["lock"], encoding="utf-8") as lock:
            return json.load(lock)["concrete_specs"]

    def tidy(self):
        """Remove what only the build needed, and what an earlier build left that nobody asks for any more."""
        before = self.on_the_volume()
        kept = ["--keep-build-dependencies"] if self.settings["keep_build_dependencies"] else []
        if before - self.prefixes_to_keep():
            # Without the option Spack would look at this environment's packages alone.
            self.spack("gc", "-y", "--except-any-environment", *kept)
        gone = before - self.on_the_volume() - set(self.prefixes().values())
        self.status["counts"] = dict(self.status.get("counts", {}), removed=len(gone))
        caches = [] if self.settings["keep_build_cache"] else [self.paths["build_cache"], os.path.join(self.paths["cache"], "source")]
        for directory in [self.paths["failures"], *caches]:
            shutil.rmtree(directory, ignore_errors=True)

    def on_the_volume(self):
        """Return the prefixes that exist, whoever asked for them."""
        named = re.compile(r".+-[a-z2-7]{" + str(SHORT_HASH) + "}")
        return {os.path.join(self.paths["software"], name) for name in os.listdir(self.paths["software"]) if named.fullmatch(name)}


def commit(checkout):
    return subprocess.check_output(["git", "-C", checkout, "rev-parse", "HEAD"])


def needed_to_run(dependency):
    return bool({"link", "run"} & set(dependency.get("parameters", {}).get("deptypes", [])))


def module_name(package, hash_length):
    return "{name}/{version}".format(**package) + ("-" + package["hash"][:hash_length] if hash_length else "")


def opens(package, level):
    name, version = level
    return package["name"] == name and version in (package["version"], package["version"] + "-" + package["hash"][:SHORT_HASH])


def full_name(node):
    return "{}@{}".format(node["name"], node.get("version", ""))


def solvers_at_once():
    """Return how many of Spack's solvers the host has processors and memory for."""
    available = int(re.search(r"^MemAvailable: +([0-9]+) kB", read_text("/proc/meminfo"), re.MULTILINE).group(1))
    return max(1, min(len(os.sched_getaffinity(0)), available // SOLVER_KIB))


def last_lines(text):
    return "\n".join(text.rstrip().splitlines()[-TAIL_LINES:])


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as content:
            return content.read()
    except FileNotFoundError:
        return ""


def read_json(path, default):
    text = read_text(path)
    return json.loads(text) if text else default


def owner(path):
    """Return whose a file is, not what a link leads to; None where there is none."""
    return os.lstat(path).st_uid if os.path.lexists(path) else None


def write_json(path, value):
    """Write a whole file or none: a kill in the middle leaves the old one."""
    with open(path + ".new", "w", encoding="utf-8") as out:
        json.dump(value, out, indent=1, sort_keys=True)
        out.write("\n")
        out.flush()
        os.fsync(out.fileno())
    os.replace(path + ".new", path)


def link(target, path):
    """Point a symbolic link at its target, in one step."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path + ".new"):
        os.remove(path + ".new")
    os.symlink(target, path + ".new")
    os.replace(path + ".new", path)


def main(arguments):
    with open(arguments[0], encoding="utf-8") as content:
        build = Build(json.load(content))
    if "--report" in arguments:
        print(json.dumps(build.report()))
        return 0
    with open(build.paths["petal"] + "/build.lock", "w", encoding="utf-8") as lock:
        # A second build of the same volume would have both write one database.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another build of this volume is running.", file=sys.stderr)
            return 1
        return build.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
