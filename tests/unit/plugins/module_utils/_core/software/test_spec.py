# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.software.spec import canonical_spec, spec_name

names = st.sampled_from(["zlib", "py-numpy", "hdf5", "r", "7zip", "builtin.zlib"])
versions = st.sampled_from(["", "@1.2", "@1.10", "@=1.2", "@1.2:", "@:1.2", "@1.2:1.4,1.9", "@git.main=1.2"])
options = st.lists(
    st.sampled_from(["+mpi", "~shared", "languages=c,fortran", "cflags='-O3 -g'", "target=zen3", "build_type=Release", "++pic"]),
    unique=True,
)


@st.composite
def packages(draw):
    return draw(names) + draw(versions), draw(options)


@st.composite
def specs(draw):
    """A spec as (package, options) and its dependencies, each a sigil and a (package, options)."""
    dependencies = st.lists(st.tuples(st.sampled_from(["^", "%"]), packages()), max_size=2, unique_by=lambda item: item[1][0].split("@")[0])
    return draw(packages()), draw(dependencies)


def written(spec, blanks=" ", chance=None):
    """Write a spec down with the given white space between its parts; `chance` shuffles the options of each package."""
    root, dependencies = spec
    parts = []
    for sigil, (package, own) in [("", root), *dependencies]:
        parts += [sigil + package, *(chance.sample(own, len(own)) if chance else own)]
    return blanks.join(parts)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (" hdf5  ~shared+mpi@1.14 ", "hdf5@1.14+mpi~shared"),
        ("hdf5 -shared", "hdf5~shared"),
        ("hdf5 shared=False mpi=true", "hdf5+mpi~shared"),
        ("hdf5 shared==True", "hdf5++shared"),
        ("gcc languages=fortran,c,c", "gcc languages=c,fortran"),
        ('zlib cflags="-O3   -g"', "zlib cflags='-O3 -g'"),
        ("zlib @ 1.2 , 1.10", "zlib@1.2,1.10"),
        ("zlib@1.10,1.9", "zlib@1.9,1.10"),
        ("zlib arch=linux-debian12-zen3", "zlib os=debian12 platform=linux target=zen3"),
        ("zlib arch=linux-None-zen3", "zlib platform=linux target=zen3"),
        ("zlib operating_system=debian12", "zlib os=debian12"),
        ("a ^c ^b", "a ^b ^c"),
        ("a %gcc@12 ^b %clang", "a %gcc@12 ^b %clang"),
        ("a ^[virtuals=mpi] openmpi", "a ^mpi=openmpi"),
        ("a %cxx,c=clang", "a %c,cxx=clang"),
        ("a ^[virtuals=mpi deptypes=link,build] openmpi", "a ^[deptypes=build,link] mpi=openmpi"),
        ("a@1.2: debug=true", "a@1.2:+debug"),
        ("a@1.2:debug=true", "a@1.2:+debug"),
        ("a@:", "a"),
        ("a@1.2:1.2", "a@1.2"),
        ("a %c=gcc %cxx=gcc", "a %c,cxx=gcc"),
        ("a %[when='+x  y=3'] b", "a %[when='+x y=3'] b"),
        ("a x='1 2'", "a x='1 2'"),
        ("a cxxflags=\"-Dname='b'\"", "a cxxflags=\"-Dname='b'\""),
        ("a /abc123", "a/abc123"),
        ("a /abc123 x=1", "a x=1 /abc123"),
        ("a ^b ^b", "a ^b"),
    ],
)
def test_one_meaning_has_one_canonical_text(text, canonical):
    assert canonical_spec(text) == canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@1.2", "a@1.2.0"),
        ("a@1.2", "a@=1.2"),
        ("a@1.2", "a@1.2:"),
        ("a+x", "a++x"),
        ("a+x", "a~x"),
        ("a+x", "a"),
        ("A", "a"),
        ("py_numpy", "py-numpy"),
        ("builtin.zlib", "zlib"),
        ("a %gcc +x", "a +x %gcc"),
        ("a ^b +x", "a +x ^b"),
        ("a ^b", "a %b"),
        ("a cflags='-O3 -g'", "a cflags='-g -O3'"),
        ("a@01", "a@1"),
        ("a target=zen,zen2", "a target=zen2,zen"),
    ],
)
def test_two_meanings_have_two_canonical_texts(one, other):
    assert canonical_spec(one) != canonical_spec(other)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it names no package"),
        ("   ", "it names no package"),
        ("@1.2", "it names no package"),
        ("zlib cmake", "'cmake' begins a second package"),
        ("zlib@1.2@1.3", "are two versions of one package"),
        ("zlib +pic ~pic", "'pic' is set twice"),
        ("zlib +pic pic=true", "'pic' is set twice"),
        ("zlib os=a os=b", "'os' is set twice"),
        ("zlib ^", "a dependency is missing after '^'"),
        ("zlib ^ ^cmake", "a dependency is missing after '^'"),
        ("zlib ^[virtuals]mpi", "'virtuals' is no edge attribute; write key=value"),
        ("zlib ^openmpi@4.1 ^openmpi ~cuda", "^openmpi is given twice; write its constraints together"),
        ("zlib %gcc %gcc@12", "%gcc is given twice"),
        ("zlib@=1.2:", "'=1.2:' is no range of versions"),
        ("zlib@1.2-", "is not understood"),
        ("zlib /abc /def", "/abc and /def are two hashes of one package"),
        ("zlib arch=linux-zen3", "must be three parts"),
        ("zlib; rm -rf /", "'; rm -rf /' is not understood"),
        ("$(id)", "is not understood"),
        ("zlib`id`", "is not understood"),
        ("bonnie++@2.00a", "write bonniepp"),
        ("bonnie++", "write bonniepp"),
        (3.1, "a spec is text, not float"),
    ],
)
def test_what_is_no_spec_is_refused_with_the_reason(text, reason):
    with pytest.raises(ExplainedError) as error:
        canonical_spec(text)
    assert reason in str(error.value)
    assert repr(str(text)) in str(error.value)


@pytest.mark.parametrize(
    ("text", "name"),
    [("zlib@1.3 ^cmake", "zlib"), ("builtin.zlib", "zlib"), ("py-numpy@1.24.0", "py-numpy"), ("+mpi hdf5", None)],
)
def test_the_name_of_a_spec_is_its_package(text, name):
    if name is None:
        with pytest.raises(ExplainedError):
            spec_name(text)
    else:
        assert spec_name(text) == name


@given(specs())
def test_canonical_text_is_its_own_canonical_text(spec):
    canonical = canonical_spec(written(spec))
    assert canonical_spec(canonical) == canonical


@given(specs(), st.sampled_from([" ", "  ", "\t", "\n "]), st.randoms(use_true_random=False))
def test_white_space_and_order_of_options_do_not_matter(spec, blanks, chance):
    assert canonical_spec(written(spec)) == canonical_spec(f" {written(spec, blanks, chance)} ")


numbers = st.lists(st.integers(0, 999), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))


@given(specs(), numbers, numbers)
def test_two_versions_never_share_a_canonical_text(spec, one, other):
    (_package, own), dependencies = spec
    texts = {canonical_spec(written(((f"zlib@{version}", own), dependencies))) for version in (one, other)}
    assert len(texts) == len({one, other})


@settings(max_examples=300)
@given(st.text(alphabet="ab1.@:=,+~-^%[]/ '\"*\\$\n", max_size=20))
def test_any_text_is_either_understood_or_refused_with_an_explanation(text):
    try:
        canonical = canonical_spec(text)
    except ExplainedError:
        return
    assert canonical_spec(canonical) == canonical
