import pytest

from plugins.module_utils._core.software.progress import Progress, explain_failures, progress, progress_line, seconds_left
from tests.unit.plugins.module_utils._core.software.test_lock import LOCK


def in_work(done, total=10):
    return Progress(total=total, done=done, failed=[], active={}, roots_total=1, roots_done=0)


def test_nothing_is_done_before_the_first_line():
    assert progress(LOCK, []).to_dict() == {
        "total": 2,
        "done": 0,
        "failed": [],
        "active": {},
        "roots_total": 1,
        "roots_done": 0,
        "percent": 0,
    }


def test_progress_follows_the_events():
    lines = [
        "==> petal: spack install --jobs 2",
        "[ ] bbbbbbb lib@1.0 staging (0s)",
        "[+] bbbbbbb lib@1.0 /shared/software/lib-1.0-bbbbbbb (3s)",
        "[ ] aaaaaaa app@2.0 fetching from build cache (0s)",
        "[ ] aaaaaaa app@2.0 install (1m 2s)",
    ]
    found = progress(LOCK, lines)
    assert (found.done, found.total, found.percent, found.active) == (1, 2, 50, {"app@2.0": "install"})


def test_a_package_that_failed_and_was_built_again_is_done():
    lines = ["[x] bbbbbbb lib@1.0 failed: /tmp/log (1s)", "[+] bbbbbbb lib@1.0 /shared/software/lib (1s)"]
    assert progress(LOCK, lines[:1]).failed == ["lib@1.0"]
    assert (progress(LOCK, lines).failed, progress(LOCK, lines).done) == ([], 1)


def test_colours_and_packages_of_other_builds_do_not_matter():
    lines = ["\x1b[32m[+]\x1b[0m bbbbbbb lib@1.0 /shared/software/lib (1s)", "[+] zzzzzzz other@1.0 /shared/software/other (1s)"]
    assert progress(LOCK, lines).done == 1


def test_the_line_shows_bar_counts_and_what_is_being_built():
    found = Progress(total=4, done=1, failed=["lib@1.0"], active={"app@2.0": "install"}, roots_total=1, roots_done=0)
    line = progress_line("building", found, width=8)
    assert line == "[##------]  25%   1/4 packages | building | failed: lib@1.0 | app@2.0 (install)"


def test_the_line_before_versions_are_chosen_shows_the_stage():
    assert progress_line("choosing versions", None) == "choosing versions"


def test_a_failure_names_package_log_and_what_needed_it():
    failure = {"package": "lib@1.0", "log": "/shared/.petal/failures/lib.log", "tail": "cc: error", "dependents": ["app@2.0"]}
    text = explain_failures({"message": "lib@1.0 failed to build.", "failures": [failure]}, progress(LOCK, []))
    assert text == (
        "lib@1.0 failed to build. 0 of 2 packages are finished and kept. Run the play again to build the rest.\n\n"
        "lib@1.0: the log is kept in /shared/.petal/failures/lib.log. Not built because of it: app@2.0. It ends:\ncc: error"
    )


@pytest.mark.parametrize(
    ("done", "done_at_start", "elapsed", "seconds_per_package", "left"),
    [
        (0, 0, 30, 0, 0),  # nobody knows
        (2, 0, 30, 60, 480),  # too few for a pace of its own
        (5, 0, 100, 60, 100),
        (8, 3, 100, 60, 40),  # what was finished before does not count
        (10, 0, 100, 60, 0),
    ],
)
def test_an_estimate_follows_earlier_builds_then_this_one(done, done_at_start, elapsed, seconds_per_package, left):
    assert seconds_left(in_work(done), done_at_start, elapsed, seconds_per_package) == left
