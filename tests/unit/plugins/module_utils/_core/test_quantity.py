import pytest

from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.quantity import Size, parse_size


@pytest.mark.parametrize(
    ("value", "gib"),
    [(100, 100), ("100", 100), ("500Gi", 500), ("1Ti", 1024), ("1.5Ti", 1536), ("1024Mi", 1), ("1Pi", 1048576), (" 10 Gi ", 10)],
)
def test_a_size_becomes_whole_gib(value, gib):
    assert parse_size(value) == Size(gib)


@pytest.mark.parametrize(("value", "gib"), [("500Mi", 1), ("1025Mi", 2), ("1Ki", 1), ("2.5Gi", 3)])
def test_a_part_of_a_gib_is_rounded_up_with_a_warning(value, gib):
    size = parse_size(value)
    assert size.gib == gib
    assert f"rounded up to {gib} GiB" in size.warning


@pytest.mark.parametrize("value", ["10G", "10GB", "1T", "500M", "10gi", "10GiB"])
def test_a_unit_that_is_not_binary_is_refused_with_the_right_spelling(value):
    with pytest.raises(ExplainedError, match=r"Write \d+Gi"):
        parse_size(value)


@pytest.mark.parametrize("value", ["", "ten", "-5", "5 5", "1e3", "Gi", True, None])
def test_what_is_no_size_is_refused(value):
    with pytest.raises(ExplainedError, match="is not a size"):
        parse_size(value)


@pytest.mark.parametrize("value", [0, "0Gi", "0.0"])
def test_zero_is_refused(value):
    with pytest.raises(ExplainedError, match="is zero"):
        parse_size(value)
