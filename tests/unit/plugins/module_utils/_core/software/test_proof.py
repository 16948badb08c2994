import pytest

from plugins.module_utils._core.software.proof import proof_problems

PROVEN = {"packages": [], "shells": [], "missing_libraries": []}


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (
            {"packages": [{"package": "app@2.0", "module": "app/2.0", "command": "app", "code": 127, "output": "", "passed": False}]},
            "app@2.0: module load app/2.0 && app ended with code 127: no output",
        ),
        (
            {"packages": [{"package": "lib@1.0", "module": "lib/1.0", "command": None, "code": 1, "output": "ERROR", "passed": False}]},
            "lib@1.0: module load lib/1.0 ended with code 1: ERROR",
        ),
        ({"shells": [{"shell": "zsh", "output": "parse error", "passed": False}]}, "The profile script does not work in zsh: parse error"),
        ({"missing_libraries": [{"file": "/shared/x", "libraries": ["liba.so", "libb.so"]}]}, "/shared/x lacks liba.so, libb.so."),
        (
            {
                "target": "x86_64_v3",
                "beyond_target": [{"file": "/shared/x", "instruction": "vpternlogd $0xff", "needs": "avx512f", "asks": False}],
            },
            "/shared/x holds code beyond the target x86_64_v3: `vpternlogd $0xff` needs avx512f.",
        ),
    ],
)
def test_each_broken_thing_of_a_proof_is_one_sentence(broken, problem):
    assert proof_problems({**PROVEN, **broken}) == [problem]


def test_a_proof_of_what_works_has_no_problems():
    works = {"package": "app@2.0", "module": "app/2.0", "command": "app", "code": 0, "output": "", "passed": True}
    assert proof_problems({**PROVEN, "packages": [works]}) == []
