from benchmarks.spack import Run, judge, longest_chain

LOCK = {
    "concrete_specs": {
        "a" * 32: {"name": "app", "dependencies": [{"hash": "b" * 32}, {"hash": "d" * 32}]},
        "b" * 32: {"name": "lib", "dependencies": [{"hash": "c" * 32}]},
        "c" * 32: {"name": "base"},
        "d" * 32: {"name": "tool"},
        "e" * 32: {"name": "other"},
    }
}
LOG = """\
[ ] ccccccc base@1 install (3s)
[+] ccccccc base@1 /shared/software/base (10s)
[+] ddddddd tool@1 /shared/software/tool (15s)
[+] bbbbbbb lib@1 /shared/software/lib (1m02s)
[+] eeeeeee other@1 /shared/software/other (70s)
[+] aaaaaaa app@1 /shared/software/app (0s)
"""


def test_the_longest_chain_is_counted_in_seconds_and_not_in_packages():
    assert longest_chain(LOCK, LOG.splitlines()) == 72
    assert longest_chain(LOCK, LOG.replace("(70s)", "(80s)").splitlines()) == 80


def test_a_run_is_held_against_the_longest_chain_that_it_had_itself():
    ours = [Run(wall, 1, {"concretize": 2}, chain) for wall, chain in ((10, 7), (12, 6), (30, 7))]
    faster, over = judge(Run(72, 1), ours)
    assert (faster.measured, faster.kept) == ("6.0 times", True)
    assert (over.measured, over.kept) == ("1.50 times", False)
