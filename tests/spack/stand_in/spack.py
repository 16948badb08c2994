# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A stand-in for Spack 1.2, for machines where no copy of Spack can be had.

It understands the commands that the role spack_bootstrap gives and the recipes of the toy repository, which it really runs:
what it installs are real programs with real modules. It is no package manager: no compilers as packages, no `%`.
tests/spack/test_contract.py holds it against the real one. Laid out as a Git repository by make_stand_in.py.
Runs on Python 3.8 or newer; PyYAML lies beside it.
"""

import argparse
import base64
import concurrent.futures
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import traceback
import types
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "lib"))
import yaml  # noqa: E402

sys.dont_write_bytecode = True
SPEC = re.compile(r"^(?P<name>[a-z0-9][a-z0-9-]*)(?:@(?P<version>[=\w.:-]+?))?(?P<variants>(?:\s*[+~][\w-]+)*)$")


class SpackError(Exception):
    """What Spack would print after `==> Error:`."""


class InstallError(Exception):
    """Recipes raise it."""


# ---- what recipes import from spack.package ------------------------------------------------------------------------

_directives = []


def version(number, **source):
    _directives.append(("version", number, source))


def variant(name, default=False, description=""):
    _directives.append(("variant", name, default))


def license(identifier, when=None):
    """A recipe's licence decides nothing here."""


def provides(*virtuals):
    _directives.append(("provides", *virtuals))


def depends_on(spec, when="", type=None):
    _directives.append(("depends_on", spec, when))


class Package:
    """Base of all recipes. Directives in a class body land in `directives` of the class that follows them, after those of its base."""

    directives = ()
    has_code = True

    def __init_subclass__(cls):
        cls.directives = (*cls.directives, *_directives)
        _directives.clear()

    def of(self, kind):
        return [directive[1:] for directive in self.directives if directive[0] == kind]


class Prefix(str):
    """A path whose attributes are the paths below it: prefix.bin, prefix.share."""

    def __getattr__(self, name):
        return Prefix(os.path.join(self, name))


class Executable:
    def __init__(self, name):
        self.name = name

    def __call__(self, *arguments):
        subprocess.run([self.name, *arguments], check=True, stdout=sys.stderr)


def mkdirp(*paths):
    for path in paths:
        os.makedirs(path, exist_ok=True)


def install_file(source, directory):
    shutil.copy(source, directory)


def set_executable(path):
    os.chmod(path, 0o755)


def offer_to_recipes(repo_paths):
    """Make `from spack.package import …` and `from spack_repo.NAMESPACE… import …` work."""
    package = types.ModuleType("spack.package")
    offered = (version, variant, license, provides, depends_on, Package, Executable, InstallError, mkdirp, set_executable)
    vars(package).update({value.__name__: value for value in offered}, install=install_file, join_path=os.path.join)
    sys.modules["spack"] = types.ModuleType("spack")
    sys.modules["spack.package"] = package
    spack_repo = types.ModuleType("spack_repo")
    spack_repo.__path__ = [os.path.dirname(path) for path in repo_paths]
    sys.modules["spack_repo"] = spack_repo


# ---- specs and concretisation --------------------------------------------------------------------------------------


class Spec:
    """A package with what is wanted of it, later with what it is: `version`, `variants`, `dependencies`, `hash`, `prefix`."""

    def __init__(self, text):
        own, *below = text.split("^")
        match = SPEC.match(own.strip())
        if not match:
            raise SpackError(f"the stand-in does not understand the spec '{text}'")
        self.below = [Spec(dependency) for dependency in below]
        self.name, self.wanted_version = match["name"], match["version"] or ""
        self.variants = {word[1:]: word[0] == "+" for word in re.findall(r"[+~][\w-]+", match["variants"] or "")}
        self.version, self.dependencies, self.hash, self.prefix, self.external = "", [], "", "", None

    def __contains__(self, constraint):
        return all(self.variants.get(name) is on for name, on in Spec(self.name + constraint).variants.items())

    def __getitem__(self, name):
        return next(found for found in self.closure() if found.name == name)

    def closure(self):
        return [self, *(below for dependency in self.dependencies for below in dependency.closure())]

    def agrees_with(self, other):
        versions = {self.wanted_version, other.wanted_version} - {""}
        one_version = len(versions) < 2 or any(":" in wanted for wanted in versions)
        return self.name == other.name and one_version and all(other.variants.get(key, on) is on for key, on in self.variants.items())

    def constrain(self, other):
        self.variants = {**self.variants, **other.variants}
        if not self.wanted_version or (":" in self.wanted_version and other.wanted_version):
            self.wanted_version = other.wanted_version


def satisfies(number, wanted):
    def key(text):
        return [int(part) if part.isdigit() else part for part in text.split(".")]

    if wanted.endswith(":"):
        return key(number) >= key(wanted[:-1])
    return not wanted or number == wanted.lstrip("=") or number.startswith(wanted + ".")


class Spack:
    """One run of the program: the configuration on the volume, and the recipes it names."""

    def __init__(self, environment, settings):
        directory = os.path.join(ROOT, "etc/spack")
        files = sorted(name for name in os.listdir(directory) if name.endswith(".yaml")) if os.path.isdir(directory) else []
        self.config = {}
        for name in files:
            self.config.update(read_yaml(os.path.join(directory, name)))
        self.environment, self.settings = environment, settings
        self.repos = [str(path).replace("$spack", ROOT) for path in self.config.get("repos:", {}).values()]
        offer_to_recipes(self.repos)
        self.recipes = {}

    def recipe(self, name):
        """Return the recipe's object and its text."""
        if name not in self.recipes:
            found = [
                path for path in (f"{repo}/packages/{name.replace('-', '_')}/package.py" for repo in self.repos) if os.path.exists(path)
            ]
            if not found:
                raise SpackError(f"cannot concretize '{name}', since '{name}' does not exist")
            spec = importlib.util.spec_from_file_location(f"recipe_{name}", found[0])
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            recipe = next(
                value for key, value in vars(module).items() if key.lower() == name.replace("-", "") and isinstance(value, type)
            )()
            recipe.name = name
            with open(found[0], encoding="utf-8") as text:
                self.recipes[name] = recipe, text.read()
        return self.recipes[name]

    def concretize(self, texts):
        """Return the concrete roots. Specs that agree become one package, as with `unify: when_possible`."""
        known, roots = [], []

        def place(wanted):
            for spec in known:
                if spec.agrees_with(wanted):
                    spec.constrain(wanted)
                    return spec
            known.append(wanted)
            return wanted

        # The most demanding first, so that "toylib" joins "toylib+docs" and not the other way round.
        for text in sorted(texts, key=lambda text: (-len(text), text)):
            wanted = Spec(text)
            roots.append(place(wanted))
            for dependency in wanted.below:
                place(dependency)
        unsettled = True
        while unsettled:
            before = [(spec.wanted_version, dict(spec.variants)) for spec in known]
            for spec in list(known):
                recipe, _text = self.recipe(spec.name)
                defaults = dict(recipe.of("variant"))
                effective = Spec(spec.name)
                effective.variants = {**defaults, **spec.variants}
                spec.dependencies = unique(
                    place(self.provider(Spec(needed), known)) for needed, when in recipe.of("depends_on") if when in effective
                )
            unsettled = before != [(spec.wanted_version, dict(spec.variants)) for spec in known]
        for spec in known:
            self.settle(spec)
        for spec in known:
            self.identify(spec)
        return unique(roots)

    def provider(self, wanted, known):
        """Return what is wanted, or for a virtual package the one that provides it: one that a `^` has named, as nobody else can choose."""
        found = [spec for spec in known if (wanted.name,) in self.recipe(spec.name)[0].of("provides")]
        return found[0] if found else wanted

    def settle(self, spec):
        recipe, _text = self.recipe(spec.name)
        numbers = [number for number, _source in recipe.of("version") if satisfies(number, spec.wanted_version)]
        if not numbers:
            raise SpackError(f"cannot concretize '{spec.name}@{spec.wanted_version}', since no known version satisfies it")
        defaults = dict(recipe.of("variant"))
        unknown = sorted(set(spec.variants) - set(defaults))
        if unknown:
            raise SpackError(f"no such variant '{unknown[0]}' in {spec.name}")
        spec.version, spec.variants = numbers[0], {**defaults, **spec.variants}

    def identify(self, spec):
        for dependency in spec.dependencies:
            self.identify(dependency)
        content = [
            spec.name,
            spec.version,
            spec.variants,
            self.target(),
            self.recipe(spec.name)[1],
            [each.hash for each in spec.dependencies],
        ]
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
        spec.hash = base64.b32encode(digest).decode().lower()[:32]
        spec.prefix = Prefix(f"{self.software()}/{spec.name}-{spec.version}-{spec.hash[:7]}")

    def target(self):
        return self.config["packages"]["all"]["require"][0].split("=")[1]

    def software(self):
        return self.config["config"]["install_tree"]["root"]

    # ---- the lock and the store ----

    def lock_path(self):
        return os.path.join(self.environment, "spack.lock")

    def write_lock(self, roots):
        nodes = {spec.hash: self.node(spec) for root in roots for spec in root.closure()}
        lock = {
            "_meta": {"file-type": "spack-lockfile", "lockfile-version": 7},
            "roots": [{"hash": root.hash, "spec": root.name} for root in roots],
            "concrete_specs": nodes,
        }
        with open(self.lock_path(), "w", encoding="utf-8") as out:
            json.dump(lock, out)

    def node(self, spec):
        return {
            "name": spec.name,
            "version": spec.version,
            "arch": {"platform": "linux", "platform_os": "stand-in", "target": {"name": self.target()}},
            "namespace": "toy",
            "parameters": spec.variants,
            "dependencies": [
                {"name": below.name, "hash": below.hash, "parameters": {"deptypes": ["build", "link"]}} for below in spec.dependencies
            ],
            "hash": spec.hash,
        }

    def read_lock(self):
        """Return the locked roots as specs."""
        with open(self.lock_path(), encoding="utf-8") as content:
            lock = json.load(content)
        specs = {}

        def read(key):
            if key not in specs:
                node = lock["concrete_specs"][key]
                spec = specs[key] = Spec(node["name"])
                spec.version, spec.variants, spec.hash = node["version"], node["parameters"], key
                spec.dependencies = [read(below["hash"]) for below in node["dependencies"]]
                spec.prefix = Prefix(f"{self.software()}/{spec.name}-{spec.version}-{spec.hash[:7]}")
            return specs[key]

        return [read(root["hash"]) for root in lock["roots"]]

    def database_path(self):
        return os.path.join(self.software(), ".spack-db", "index.json")

    def installed(self):
        return set(json.loads(read_text(self.database_path()) or "[]"))

    def register(self, hashes):
        os.makedirs(os.path.dirname(self.database_path()), exist_ok=True)
        with open(self.database_path(), "w", encoding="utf-8") as out:
            json.dump(sorted(hashes), out)

    def caches(self):
        mirrors = read_yaml(os.path.join(self.environment, "spack.yaml"))["spack"].get("mirrors", {})
        return [mirror["url"].replace("file://", "") for mirror in mirrors.values() if mirror.get("autopush")]

    # ---- building ----

    def install(self, roots, jobs):
        """Build what is missing, as many at a time as `jobs`; return the specs that failed."""
        done = self.installed()
        waiting = unique(spec for root in roots for spec in root.closure() if spec.hash not in done)
        failed, running = [], {}
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            while waiting or running:
                for spec in [spec for spec in waiting if all(below.hash in done for below in spec.dependencies)]:
                    waiting.remove(spec)
                    running[pool.submit(self.build, spec)] = spec
                if not running:
                    break
                for future in concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED).done:
                    spec = running.pop(future)
                    if future.result():
                        done.add(spec.hash)
                    else:
                        failed.append(spec)
        # Like the real one, which writes its database late: a killed run has built packages that it does not know of.
        self.register(done)
        return failed

    def build(self, spec):
        """Take one package from the cache, or run its recipe in a process of its own; return whether it is there."""
        started = time.time()

        def say(event, text):
            print(f"[{event}] {spec.hash[:7]} {spec.name}@{spec.version} {text} ({int(time.time() - started)}s)", flush=True)

        shutil.rmtree(spec.prefix, ignore_errors=True)
        say(" ", "fetching from build cache")
        archives = [f"{cache}/{spec.hash}.tar" for cache in self.caches()]
        cached = [archive for archive in archives if os.path.exists(archive)]
        if cached:
            subprocess.run(["tar", "-C", self.software(), "-xf", cached[0]], check=True)
            say("+", spec.prefix)
            return True
        say(" ", "no binary available")
        stage = os.path.join(self.config["config"]["build_stage"][0], f"spack-stage-{spec.name}-{spec.version}-{spec.hash}")
        shutil.rmtree(stage, ignore_errors=True)
        os.makedirs(stage)
        say(" ", "install")
        with open(stage + ".log", "w", encoding="utf-8") as log:
            child = [sys.executable, os.path.realpath(__file__), "-e", self.environment, "build-one", spec.hash, stage]
            code = subprocess.run(child, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
        if code:
            shutil.rmtree(spec.prefix, ignore_errors=True)
            say("x", f"failed: {stage}.log")
            return False
        shutil.rmtree(stage)
        for archive in archives:
            push(spec.prefix, archive)
        say("+", spec.prefix)
        return True

    def build_one(self, key, stage):
        """Run one recipe; what it prints is the package's log."""
        spec = next(spec for root in self.read_lock() for spec in root.closure() if spec.hash == key)
        recipe, _text = self.recipe(spec.name)
        os.chdir(stage)
        for number, source in recipe.of("version"):
            if number == spec.version and "url" in source:
                fetch(source["url"], source["sha256"])
        print(f"==> {spec.name}: Executing phase: 'install'", flush=True)
        os.makedirs(spec.prefix)
        recipe.install(spec, spec.prefix)

    def collect(self):
        """Remove what the locked roots do not need; return the names of the prefixes."""
        needed = {spec.hash for root in self.read_lock() for spec in root.closure()}
        gone = self.installed() - needed
        self.register(needed & self.installed())
        names = [name for name in os.listdir(self.software()) if name.rpartition("-")[2] in {key[:7] for key in gone}]
        for name in names:
            shutil.rmtree(os.path.join(self.software(), name))
        return names

    # ---- modules ----

    def levels(self, spec):
        """Return the directories of Lmod's tree in which a module lies, one for each virtual package of the hierarchy that it needs.

        The real one merges lists of all its configuration files, unless a key ends in two colons: its own default stays beneath ours.
        """
        lmod = self.config["modules"]["default"]["lmod"]
        hierarchy = lmod["hierarchy:"] if "hierarchy:" in lmod else [*lmod.get("hierarchy", []), "mpi"]
        below = unique(
            found for found in spec.closure()[1:] for virtual in hierarchy if (virtual,) in self.recipe(found.name)[0].of("provides")
        )
        return [f"{found.name}/{found.version}-{found.hash[:7]}" for found in below]

    def refresh(self, kind):
        """Write one module for each root. Two that would share a name are refused before anything is written."""
        length = int(self.settings.get(f"modules:default:{kind}:hash_length", "0"))
        settings = self.config["modules"]["default"]
        tree = settings["roots"][kind]
        files = {}
        for root in self.read_lock():
            level = "".join(f"{opened_by}/" for opened_by in self.levels(root)) + "Core/" if kind == "lmod" else ""
            name = f"{level}{root.name}/{root.version}" + (f"-{root.hash[:length]}" if length else "") + (".lua" if kind == "lmod" else "")
            if name in files:
                raise SpackError(f"Name clashes detected in module files:\n\nfile: {tree}/{name}")
            line = f'prepend_path("PATH", "{root.prefix}/bin")' if kind == "lmod" else f"prepend-path PATH {root.prefix}/bin"
            files[name] = f"{line}\n" if kind == "lmod" else f"#%Module1.0\n{line}\n"
        shutil.rmtree(settings["roots"][kind], ignore_errors=True)
        for name, content in files.items():
            os.makedirs(os.path.dirname(f"{tree}/{name}"), exist_ok=True)
            with open(f"{tree}/{name}", "w", encoding="utf-8") as out:
                out.write(content)


def push(prefix, archive):
    os.makedirs(os.path.dirname(archive), exist_ok=True)
    subprocess.run(["tar", "-C", os.path.dirname(prefix), "-cf", archive + ".new", os.path.basename(prefix)], check=True)
    os.replace(archive + ".new", archive)


def fetch(url, sha256):
    path = os.path.basename(url)
    urllib.request.urlretrieve(url, path)
    with open(path, "rb") as content:
        found = hashlib.sha256(content.read()).hexdigest()
    if found != sha256:
        raise SpackError(f"sha256 checksum failed for {path}: expected {sha256}, got {found}")


def read_yaml(path):
    with open(path, encoding="utf-8") as content:
        return yaml.safe_load(content) or {}


def read_text(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as content:
        return content.read()


def unique(specs):
    return list({id(spec): spec for spec in specs}.values())


# ---- commands ------------------------------------------------------------------------------------------------------


def concretize(spack, options):
    roots = spack.concretize(read_yaml(os.path.join(spack.environment, "spack.yaml"))["spack"]["specs"])
    spack.write_lock(roots)
    print(f"==> Concretized {len(roots)} specs:")
    for root in roots:
        print(f" -   {root.hash[:7]}  {root.name}@{root.version}")


def install(spack, options):
    failed = spack.install(spack.read_lock(), options.jobs)
    if failed:
        names = "".join(f"\n{spec.name}@{spec.version}/{spec.hash}" for spec in failed)
        raise SpackError(f"The following packages failed to install:{names}")


def module(spack, options):
    print(f"==> Regenerating {options.kind} module files")
    spack.refresh(options.kind)


def gc(spack, options):
    removed = spack.collect()
    if not removed:
        print("==> There are no unused specs. Spack's store is clean.")
    for name in removed:
        print(f"==> Successfully uninstalled {name}")


def location(spack, options):
    spack.recipe(options.name)


def build_one(spack, options):
    spack.build_one(options.hash, options.stage)


def parser():
    program = argparse.ArgumentParser(prog="spack (stand-in)", description=__doc__)
    program.add_argument("-e", dest="environment", default="")
    program.add_argument("-c", dest="settings", action="append", default=[])
    commands = program.add_subparsers(required=True)
    command = commands.add_parser("concretize")
    command.add_argument("--force", action="store_true")
    command.set_defaults(run=concretize)
    command = commands.add_parser("install")
    command.add_argument("--jobs", type=int, default=1)
    # Whatever is said here, only its own cache is looked into.
    command.add_argument("--use-buildcache", choices=["never"])
    command.set_defaults(run=install)
    command = commands.add_parser("module")
    command.add_argument("kind", choices=["lmod", "tcl"])
    command.add_argument("action", choices=["refresh"])
    command.add_argument("--delete-tree", action="store_true", required=True)
    command.add_argument("-y", action="store_true", required=True)
    command.set_defaults(run=module)
    command = commands.add_parser("gc")
    command.add_argument("-y", action="store_true", required=True)
    command.add_argument("--except-any-environment", action="store_true", required=True)
    command.add_argument("--keep-build-dependencies", action="store_true")
    command.set_defaults(run=gc)
    command = commands.add_parser("location")
    command.add_argument("--package-dir", dest="name", required=True)
    command.set_defaults(run=location)
    command = commands.add_parser("build-one")
    command.add_argument("hash")
    command.add_argument("stage")
    command.set_defaults(run=build_one)
    return program


def main():
    options = parser().parse_args()
    settings = dict(setting.rsplit(":", 1) for setting in options.settings)
    try:
        options.run(Spack(options.environment, settings), options)
    except SpackError as error:
        sys.exit(f"==> Error: {error}")
    except InstallError:
        traceback.print_exc()
        sys.exit(1)


if __name__ == "__main__":
    main()
