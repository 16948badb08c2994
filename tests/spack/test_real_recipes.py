"""Seeds whose packages are long gone, mended and given to the real Spack with the real recipes."""

import json
import pathlib
import subprocess

import pytest
import yaml

from plugins.module_utils._core.recipes.index import Recipes
from plugins.module_utils._core.recipes.seed_lint import lint_seed, mend_seed
from plugins.module_utils._core.recipes.spec_lint import mend_spec
from plugins.module_utils._core.software.package_names import COMPILERS, DEFAULT_PROVIDERS, RENAMED
from plugins.module_utils._core.software.releases import RECIPES_VERSION
from plugins.module_utils._git.recipes import load_index
from tests.spack import real_recipes
from tests.spack.make_stand_in import TAG

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "seed.schema.json").read_text())
OLD = """\
cluster: {name: old, region: us-east-1}
compute:
  head_node: m6a.large
  queues:
    - {name: compute, instance_types: [c6a.large], max_count: 1}
software:
  spack_packages:
    - gcc@11.3.0
    - cmake@3.26.0
    - scalapack@2.2.0
    - multiqc@1.14
    - py-torchvision@0.15.0
    - paraview@5.11.1+mpi+python3
    - bonnie++@2.00a
    - openjdk@17.0.6
    - ds9@8.4
"""

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def recipes():
    """Kept beside the mirror, as the lint itself keeps it: the commit is in its name."""
    return Recipes([load_index(str(real_recipes.RECIPES), RECIPES_VERSION, real_recipes.CACHE / "recipe-index")[1]])


def test_an_old_seed_is_mended_against_todays_recipes(recipes):
    mended = mend_seed(OLD, SCHEMA, "old.yaml", recipes, comment_out=True)
    lines = [line.strip() for line in mended.text.splitlines()[7:]]
    assert lines == [
        "- gcc@11.5.0",
        "- cmake@3.26.6",
        "- netlib-scalapack@2.2.0",
        "- py-multiqc@1.23",
        "- py-torchvision@0.25.0",
        "- paraview@5.11.2+mpi+python",
        "- bonniepp@1.98",
        "- openjdk@17.0.8.1_1",
        "# no recipe: - ds9@8.4",
    ]
    assert lint_seed(mended.text, SCHEMA, "old.yaml", recipes) == []


@pytest.mark.parametrize(
    ("spec", "better"),
    [
        ("hdf5@1.14.5 %gcc@12.1.0 +mpi +hl", "hdf5@1.14.5 +mpi +hl %gcc@12.5.0"),
        ("gromacs@2024.6 %oneapi +mpi +double", "gromacs@2024.6 +mpi +double %oneapi"),
        ("mpi", "openmpi"),
        ("blas", "openblas"),
        ("java", "openjdk"),
        ("fortran", "gcc"),
        ("intel-mkl", "intel-oneapi-mkl"),
        ("perl@5.36.0", "perl@5.40.2"),
        ("nwchem+mpi", "nwchem+mpi"),
        ("intel", "intel"),
        ("conda", "conda"),
        ("gfortran", "gfortran"),
        ("arm", "arm"),
    ],
)
def test_what_somebody_has_written_is_kept(recipes, spec, better):
    assert mend_spec(spec, recipes) == better


def test_every_package_that_a_name_becomes_has_a_recipe(recipes):
    assert [name for name in {*RENAMED.values(), *COMPILERS.values()} if name not in recipes] == []


@pytest.mark.skipif(not real_recipes.SPACK.is_dir(), reason="no mirror of Spack: run sh scripts/spack_mirror.sh")
def test_the_default_providers_are_those_of_spack():
    command = ["git", "-C", str(real_recipes.SPACK), "show", f"{TAG}:etc/spack/defaults/base/packages.yaml"]
    written = yaml.safe_load(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    providers = written["packages"]["all"]["providers"].items()
    assert {name: list(default) for name, default in DEFAULT_PROVIDERS.items()} == {
        name: default for name, default in providers if not any("+" in provider for provider in default)
    }


def test_nearly_every_recipe_is_understood(recipes):
    names = list(recipes._packages)
    assert len(names) > 8_500
    assert sum(not recipes.recipe(name).complete for name in names) < 30


def test_mended_specs_have_a_solution(recipes, tmp_path):
    if reason := real_recipes.what_is_missing():
        pytest.skip(reason)
    mended = mend_seed(OLD.replace("- paraview@5.11.1+mpi+python3", "- git@2.40.0"), SCHEMA, "old.yaml", recipes)
    specs = [line.split("- ")[1] for line in mended.text.splitlines()[7:] if "gcc@" in line or "cmake@" in line or "git@" in line]
    result = real_recipes.RealSpack(tmp_path).concretise(specs)
    assert result.problem == ""
    assert len(result.hashes) > len(specs)
