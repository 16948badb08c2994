"""Recipes are read without being run, and nothing is claimed of what only running them would tell."""

import textwrap

import pytest

from plugins.module_utils._core.recipes.recipe import read_recipe


def declared(body, before=""):
    text = f"{before}\nclass Toy(Base):\n{textwrap.indent(textwrap.dedent(body), '    ')}"
    return read_recipe(text)["classes"]["Toy"]


def test_versions_know_whether_they_are_deprecated():
    body = """
    version("1.2", sha256="0")
    version("1.1", deprecated=True)
    with default_args(deprecated=True):
        version("1.0")
    """
    assert declared(body)["versions"] == {"1.2": False, "1.1": True, "1.0": True}


def test_versions_of_a_loop_over_literals_are_known():
    body = """
    for ver, sums in _versions.items():
        number, cuda = ver.split("-")
        if sums.get(platform.machine()):
            version(f"{number}-{cuda}.x")
    """
    toy = declared(body, before='_versions = {"9.1-12": {"x": "0"}, "8.0-11": {}}')
    assert toy["versions"] == {"9.1-12.x": False, "8.0-11.x": False}


def test_computed_versions_are_said_to_be_incomplete():
    toy = declared("for ver in fetch_versions():\n    version(ver)")
    assert toy == {"bases": ["Base"], "computed": True}


@pytest.mark.parametrize(
    ("directive", "values"),
    [
        ('variant("x", default=True)', ["True", "False"]),
        ('variant("x", default="a", values=("a", "b"))', ["a", "b"]),
        ('variant("x", default="a", values=("a", conditional("b", "c", when="@2:")))', ["a", "b", "c"]),
        ('variant("x", values=any_combination_of("a", "b"))', ["a", "b", "none", "auto"]),
        ('variant("x", values=disjoint_sets(("auto",), ("a", "b")).with_default("auto"))', ["auto", "a", "b", "none", "auto", "auto"]),
        ('variant("x", default="none", values=lambda x: True)', None),
        ('variant("x", default="text")', None),
    ],
)
def test_values_of_variants(directive, values):
    assert declared(directive)["variants"]["x"] == [{"values": values, "when": []}]


def test_conditions_add_up():
    body = """
    with when("@2:"):
        variant("x", default=True, when="+y")
    """
    assert declared(body)["variants"]["x"][0]["when"] == ["@2:", "+y"]


@pytest.mark.parametrize(
    ("directive", "need"),
    [
        ('depends_on("zlib@1.2:")', ("zlib", "1.2:", [], {}, True)),
        ('depends_on("zlib", when="@2:+gui")', ("zlib", "", ["2:"], {"gui": "+"}, True)),
        ('depends_on("cmake@3:", type="build")', ("cmake", "3:", [], {}, False)),
        ('extends("python@3")', ("python", "3", [], {}, True)),
    ],
)
def test_needs_are_what_version_and_switches_decide(directive, need):
    assert declared(directive)["needs"] == [need]


@pytest.mark.parametrize(
    "directive",
    [
        'depends_on("zlib", when="^python@3.12:")',
        'depends_on("zlib", "^python@3.12:")',
        'depends_on("zlib", when="python@3.12:")',
        'depends_on("zlib", when="build_system=cmake")',
        'depends_on("zlib", when="target=x86_64:")',
        'depends_on("zlib", when=[SOME, OTHER])',
        'depends_on("pytest", type="test")',
        'depends_on(f"zlib@{unknown}")',
        'if sys.platform == "win32":\n    depends_on("zlib")',
    ],
)
def test_what_nothing_certain_decides_is_no_need(directive):
    assert "needs" not in declared(directive)


@pytest.mark.parametrize(
    ("directive", "conflict"),
    [
        ('conflicts("+gui", when="~x11@2:", msg="no window")', (["2:"], {"gui": "+", "x11": "~"}, "no window")),
        ('conflicts("gpu=none", "+cuda")', ([], {"gpu": "none", "cuda": "+"}, "")),
        ('conflicts("@:1.2")', ([":1.2"], {}, "")),
    ],
)
def test_conflicts_are_what_version_and_variants_decide(directive, conflict):
    assert declared(directive)["conflicts"] == [conflict]


@pytest.mark.parametrize(
    "directive",
    [
        'conflicts("%gcc@:9")',
        'conflicts("+mpi", "^mpich@4.0")',
        'conflicts("glibc@2.41:", when="@:13.1")',
        "conflicts(SOME)",
        'if sys.platform == "win32":\n    conflicts("+shared")\nelse:\n    conflicts("~shared")',
    ],
)
def test_what_nothing_certain_decides_is_no_conflict(directive):
    assert "conflicts" not in declared(directive)


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ('variant("x", default=False, sticky=True)', "~"),
        ('variant("x", default="auto", values=("auto", "a"), sticky=True)', "auto"),
        ('variant("x", values=any_combination_of("a", "b"), sticky=True)', "none"),
        ('variant("x", default=False)', None),
        ('variant("x", default=SOME, sticky=True)', None),
    ],
)
def test_what_a_variant_keeps_is_known_where_it_is_sticky(directive, value):
    assert declared(directive)["variants"]["x"][0].get("sticky") == value


def test_a_recipe_is_not_run():
    toy = declared('open("/nowhere/else", "w")\nvalue = __import__("os").getcwd()\nversion(value)')
    assert toy == {"bases": ["Base"], "computed": True}
