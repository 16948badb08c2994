# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What we say about specs and CPUs is what the real Spack says; needs the git mirror that the lab also uses."""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import sys

import archspec.cpu
import pytest
import yaml

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.facts.instance_types_data import FAMILIES
from plugins.module_utils._core.software.releases import SPACK_VERSION
from plugins.module_utils._core.software.spec import canonical_spec, spec_name

pytestmark = pytest.mark.real

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
MIRROR = CACHE / "petal-tests" / "spack.git"
SEEDS = pathlib.Path(__file__).parents[5] / "data" / "seeds"

ASK = """
import json, sys
from spack.spec import Spec
from spack.vendor.archspec.cpu import TARGETS

def parse(text):
    try:
        return Spec(text)
    except Exception:
        return None

questions = json.load(sys.stdin)
answers = {"names": [], "equal": [], "ancestors": {name: [str(a) for a in cpu.ancestors] for name, cpu in TARGETS.items()}}
for text in questions["texts"]:
    spec = parse(text)
    answers["names"].append(spec.name if spec else None)
for one, other in questions["pairs"]:
    answers["equal"].append(parse(one) == parse(other))
json.dump(answers, sys.stdout)
"""

NAMES = ["zlib", "py-numpy", "hdf5", "r", "7zip", "py_numpy"]
VERSIONS = ["", "@1.2", "@=1.2", "@1.2.0", "@1.2:", "@:1.2", "@ 1.2", "@1.2:1.4,1.9", "@1.9, 1.2:1.4", "@git.main=1.2"]
OPTIONS = [
    ["+mpi", " +mpi", " mpi=true", " mpi=True", "~mpi", " -mpi", " mpi=false", "++mpi", " mpi==true"],
    [" languages=c,c++", " languages=c++,c", " languages='c,c++'", " languages=c"],
    [" cflags='-O3 -g'", ' cflags="-O3 -g"', " cflags='-g -O3'", " cflags='-O3   -g'"],
    [" target=zen3", " arch=None-None-zen3", " target=zen2"],
    [" os=debian12", " operating_system=debian12"],
]
DEPENDENCIES = [
    " ^cmake",
    " ^ cmake",
    " %gcc",
    " %gcc@12",
    " ^[virtuals=mpi] openmpi",
    " ^mpi=openmpi",
    " %c,cxx=clang",
    " %cxx,c=clang",
    " ^cmake+ssl",
]
REFUSED = [
    "",
    " ",
    "@1.2",
    "zlib cmake",
    "zlib@1.2@1.3",
    "zlib+pic~pic",
    "zlib ^",
    "bonnie++",
    "bonnie++@2.00a",
    "zlib;id",
    "$(id)",
    "zlib`id`",
    "zlib\n^",
]


def any_spec(chance):
    options = [chance.choice(ways) for ways in chance.sample(OPTIONS, chance.randint(0, 2))]
    dependencies = chance.sample(DEPENDENCIES, chance.randint(0, 2))
    return chance.choice(NAMES[:3]) + chance.choice(VERSIONS) + "".join(options + dependencies)


def seed_specs():
    for path in sorted(SEEDS.rglob("*.yaml")):
        if path.name != "rna-seq.yaml":
            seed = yaml.safe_load(path.read_text(encoding="utf-8"))
            yield from (seed.get("software") or {}).get("spack_packages") or []


def canonical(text):
    try:
        return canonical_spec(text)
    except ExplainedError:
        return None


TEXTS = [*NAMES, *sorted(set(seed_specs())), *REFUSED]
_chance = random.Random(1)
_alike = [any_spec(_chance) for _ in range(60)]
# Few texts, all pairs of a slice: specs that differ in one thing, and specs that differ only in spelling, are both frequent.
PAIRS = [(one, other) for start in range(0, 60, 12) for one in _alike[start : start + 12] for other in _alike[start : start + 12]]
PAIRS += [(f"hdf5{one}", f"hdf5{other}") for ways in [VERSIONS, *OPTIONS, DEPENDENCIES] for one in ways for other in ways]
PAIRS += [(text, canonical(text)) for text in TEXTS if canonical(text)]


@pytest.fixture(scope="module", name="spack")
def spack_fixture(tmp_path_factory):
    """Spack's own answers about TEXTS, PAIRS and CPUs."""
    checkout = tmp_path_factory.mktemp("spack")
    archive = subprocess.run(["git", "--git-dir", MIRROR, "archive", SPACK_VERSION, "lib/spack"], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", checkout], input=archive, check=True)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{checkout}/lib/spack:{checkout}/lib/spack/spack/vendor",
        "SPACK_DISABLE_LOCAL_CONFIG": "1",
        "SPACK_USER_CACHE_PATH": str(checkout / "cache"),
    }
    questions = json.dumps({"texts": TEXTS, "pairs": PAIRS})
    answers = subprocess.run([sys.executable, "-c", ASK], input=questions, env=environment, check=True, capture_output=True, text=True)
    return json.loads(answers.stdout)


def test_what_we_accept_has_the_name_that_spack_gives_it(spack):
    ours = [spec_name(text) if canonical(text) else None for text in TEXTS]
    differing = {text: theirs for text, mine, theirs in zip(TEXTS, ours, spack["names"], strict=True) if mine != theirs}
    # Spack takes a spec without a package for one of any package, and drops a dependency without a name; a seed means neither.
    assert differing == {"": "", " ": "", "@1.2": "", "zlib ^": "zlib", "zlib\n^": "zlib"}


def test_specs_are_equal_to_spack_exactly_when_their_canonical_texts_are(spack):
    ours = [canonical(one) == canonical(other) for one, other in PAIRS]
    assert [pair for pair, mine, theirs in zip(PAIRS, ours, spack["equal"], strict=True) if mine != theirs] == []
    assert len(PAIRS) > 500
    assert 100 < sum(ours) < len(ours) - 100


def test_spack_knows_every_cpu_that_may_become_a_target(spack):
    for _architecture, microarchitecture, _sizes in FAMILIES.values():
        known = {cpu.name for cpu in archspec.cpu.TARGETS[microarchitecture].ancestors}
        assert set(spack["ancestors"][microarchitecture]) == known
