from __future__ import annotations

import dataclasses

import pytest

from plugins.module_utils._core.errors import ManyProblems
from plugins.module_utils._core.inputs import choice, flag, gib, number, read_inputs


@dataclasses.dataclass(frozen=True)
class Cake:
    size: float = gib()
    pieces: int = number(above=0, default=8)
    candles: int = number(default=0)
    taste: str = choice(["lemon", "plum"], default="plum")
    sliced: bool = flag()


@pytest.mark.parametrize(
    ("values", "cake"),
    [
        ({"size": 2}, Cake(2, 8, 0, "plum", False)),
        ({"size": "2", "pieces": "3", "sliced": "yes"}, Cake(2, 3, 0, "plum", True)),
        ({"size": "512Mi", "candles": 1.5, "taste": "lemon", "sliced": False}, Cake(0.5, 8, 1.5, "lemon", False)),
        ({"size": "1Ti", "candles": None}, Cake(1024)),
    ],
)
def test_values_are_read_as_templates_give_them(values, cake):
    assert read_inputs(Cake, values, "The cake") == cake


def test_a_whole_number_stays_whole():
    assert str(read_inputs(Cake, {"size": 2.0, "pieces": "3.0"}, "The cake").pieces) == "3"


def test_every_problem_is_reported_at_once():
    with pytest.raises(ManyProblems) as refusal:
        read_inputs(Cake, {"pieces": 0, "taste": "salt", "sliced": "perhaps", "plates": 3}, "The cake")
    assert refusal.value.problems == [
        "pieces is 0; give a number above 0",
        "plates is not known; choose from size, pieces, candles, taste, sliced",
        "size is missing",
        "sliced is 'perhaps'; give true or false",
        "taste is 'salt'; give one of lemon, plum",
    ]
    assert str(refusal.value).startswith("The cake cannot be computed:")


@pytest.mark.parametrize("value", [-1, "many", True, float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ManyProblems, match="give a number of 0 or more"):
        read_inputs(Cake, {"size": 1, "candles": value}, "The cake")


@pytest.mark.parametrize("value", [0, "10GB", "large", True])
def test_what_is_no_size_is_refused(value):
    with pytest.raises(ManyProblems, match="give GiB above 0, or a quantity such as 500Gi or 1Ti"):
        read_inputs(Cake, {"size": value}, "The cake")
