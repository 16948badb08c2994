# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the proof of a volume has found wrong."""

from __future__ import annotations

from .image_software import image_problems


def proof_problems(proof: dict[str, object]) -> list[str]:
    """Return one sentence for each thing that proof.json says does not work, with what the command printed."""
    packages = [
        f"{tried['package']}: {_smoke(tried)} ended with code {tried['code']}: {tried['output'] or 'no output'}"
        for tried in proof["packages"]
        if not tried["passed"]
    ]
    broken_shells = [tried for tried in proof["shells"] if not tried["passed"]]
    shells = [f"The profile script does not work in {tried['shell']}: {tried['output']}" for tried in broken_shells]
    libraries = [f"{missing['file']} lacks {', '.join(missing['libraries'])}." for missing in proof["missing_libraries"]]
    foreign = [
        f"{code['file']} needs {code['library']} of the build host, which {code['why']}: a node need not have it."
        for code in proof.get("foreign_libraries", [])
    ]
    image = image_problems(proof.get("image_software", []))
    beyond = [
        f"{code['file']} holds code beyond the target {proof['target']}: `{code['instruction']}` needs {code['needs']}."
        for code in proof.get("beyond_target", [])
    ]
    return [*image, *packages, *shells, *libraries, *foreign, *beyond]


def _smoke(tried: dict[str, object]) -> str:
    return " && ".join(filter(None, [f"module load {tried['module']}", tried["command"]]))
