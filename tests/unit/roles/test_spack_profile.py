"""The profile scripts of the software volume, sourced by the shells of this machine with make-believe module systems around them."""

import pathlib
import shutil
import subprocess

import jinja2
import pytest

from plugins.module_utils._core.software.layout import layout

TEMPLATES = pathlib.Path(__file__).resolve().parents[3] / "roles/spack_bootstrap/templates"
FAKE_LMOD = "module() { echo volume $*; }\nLMOD_CMD=/volume\n"
SHELLS = {"bash": ["bash", "--norc", "--noprofile"], "sh": ["sh"], "zsh": ["zsh", "-f"]}


@pytest.fixture(params=list(SHELLS))
def shell(request):
    if not shutil.which(request.param):
        pytest.skip(f"no {request.param} here")
    return SHELLS[request.param]


@pytest.fixture
def paths(tmp_path):
    found = layout(str(tmp_path / "shared"))
    for script in ("petal.sh", "petal.csh"):
        environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
        template = environment.from_string((TEMPLATES / f"{script}.j2").read_text())
        write(f"{found['profile']}/{script}", template.render(__spack_bootstrap_paths=found, __spack_bootstrap_managed="#"))
    return found


def write(path, text):
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(text)


def run(shell, paths, script, **variables):
    """Run a script in a shell that stops at the first error and unset variable; return what it prints."""
    source = f". {paths['profile']}/petal.sh\n"
    environment = {"PATH": "/usr/bin:/bin", **variables}
    return subprocess.run(
        [*shell, "-euc", script.replace("SOURCE", source)], env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_without_lmod_the_tcl_tree_is_taken(shell, paths):
    assert run(shell, paths, "module() { :; }\nSOURCE echo $MODULEPATH") == paths["tcl"]


def test_the_volumes_own_lmod_is_started(shell, paths):
    for kind in SHELLS:
        write(f"{paths['lmod_program']}/init/{kind}", FAKE_LMOD)
    assert run(shell, paths, "SOURCE module load x; echo $MODULEPATH") == f"volume load x\n{paths['lmod']}/Core"


def test_the_nodes_own_lmod_goes_before_the_volumes(shell, paths):
    write(f"{paths['lmod_program']}/init/sh", FAKE_LMOD)
    write(f"{paths['lmod_program']}/init/bash", FAKE_LMOD)
    write(f"{paths['lmod_program']}/init/zsh", FAKE_LMOD)
    script = "module() { echo node $*; }\nSOURCE module load x; echo $MODULEPATH"
    assert run(shell, paths, script, LMOD_CMD="/node") == f"node load x\n{paths['lmod']}/Core"


def test_environment_modules_are_started_where_no_shell_has_done_so(shell, paths, tmp_path):
    for kind in SHELLS:
        write(tmp_path / f"modules/init/{kind}", "module() { echo tcl $*; }\n")
    assert run(shell, paths, "SOURCE module load x", MODULESHOME=str(tmp_path / "modules")) == "tcl load x"


def test_sourcing_twice_adds_nothing(shell, paths):
    assert run(shell, paths, "module() { :; }\nSOURCE SOURCE echo $MODULEPATH") == paths["tcl"]


def test_modules_of_the_node_stay_within_reach(shell, paths):
    assert run(shell, paths, "module() { :; }\nSOURCE echo $MODULEPATH", MODULEPATH="/node/modules") == f"{paths['tcl']}:/node/modules"


def test_no_variables_of_the_script_are_left(shell, paths):
    assert "__petal" not in run(shell, paths, "module() { :; }\nSOURCE set")


@pytest.mark.parametrize("shell", ["csh", "tcsh"])
@pytest.mark.parametrize(("before", "after"), [("", "{tcl}"), ("/node/modules", "{tcl}:/node/modules")])
def test_csh_gets_the_same_tree_once(shell, before, after, paths):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    source = f"source {paths['profile']}/petal.csh\n"
    environment = {"PATH": "/usr/bin:/bin", **({"MODULEPATH": before} if before else {})}
    script = f"alias module true\n{source}{source}echo $MODULEPATH"
    found = subprocess.run([shell, "-fc", script], env=environment, check=True, capture_output=True, text=True).stdout.strip()
    assert found == after.format(**paths)
