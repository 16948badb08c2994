"""The image of the hosts is built once, and appears only when it is complete."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.lab import image

SOURCES = """\
http://archive.example/debian/ bookworm main Debian
http://archive.example/debian/ bookworm contrib Debian
http://archive.example/security/ bookworm-security main Debian
http://other.example/apt stable main Google
"""


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def answer_of_apt(monkeypatch, text):
    monkeypatch.setattr(image, "_output", lambda *command: text)


def builder_that_counts(monkeypatch, fails=False):
    """Put a builder in place that makes a file instead of a system; returns the list of its programs."""
    programs = []

    def run(command):
        programs.append(command[0])
        if fails:
            raise image.ImageError("no network")

    monkeypatch.setattr(image, "_run", run)
    answer_of_apt(monkeypatch, SOURCES)
    return programs


def test_callers_at_once_build_the_image_once(monkeypatch):
    programs = builder_that_counts(monkeypatch)
    with ThreadPoolExecutor() as pool:
        folders = set(pool.map(lambda _: image.ensure(), range(4)))
    assert folders == {image.folder()}
    assert programs.count("mmdebstrap") == 1


def test_a_build_that_fails_leaves_no_image(monkeypatch):
    builder_that_counts(monkeypatch, fails=True)
    with pytest.raises(image.ImageError):
        image.ensure()
    assert list(image.folder().parent.glob("host-*")) == []


def test_another_recipe_is_another_image(monkeypatch):
    before = image.folder()
    monkeypatch.setattr(image, "PACKAGES", [*image.PACKAGES, "cowsay"])
    assert image.folder() != before


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (SOURCES, ["deb http://archive.example/debian/ bookworm main", "deb http://archive.example/security/ bookworm-security main"]),
        ("http://archive.example/debian/ trixie main Debian\n", ["deb http://archive.example/debian/ bookworm main"]),
        ("http://archive.example/ubuntu/ noble main Ubuntu\n", []),
    ],
    ids=["a machine of that release", "a newer Debian", "not Debian"],
)
def test_the_image_comes_from_where_this_machine_takes_debian(monkeypatch, sources, expected):
    answer_of_apt(monkeypatch, sources)
    assert image._apt_sources() == expected


def test_a_failed_program_is_quoted_in_the_error():
    with pytest.raises(image.ImageError, match=r"sh failed with 3:\nno space"):
        image._run(["sh", "-c", "echo no space; exit 3"])


def test_a_machine_whose_package_lists_are_empty_fetches_them_first(monkeypatch):
    answers = ["", SOURCES]
    programs = builder_that_counts(monkeypatch)
    monkeypatch.setattr(image, "_output", lambda *command: answers.pop(0))
    assert len(image._apt_sources()) == 2
    assert programs == ["apt-get"]
