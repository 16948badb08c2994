"""Whatever is wrong with a seed, its reader is told; whatever passes can be rendered without a loss, or is refused in words.

The mutations are those of people and of other tools: keys left out, misspelt or unknown, values of another type, lists for one value.
"""

from __future__ import annotations

import copy
import datetime
import random

import pytest
import yaml

from plugins.module_utils._core.cluster.losses import find_losses
from plugins.module_utils._core.errors import ExplainedError
from plugins.module_utils._core.seed.read import read_seed
from tests.judge.seeds import SCHEMA, SEEDS, name_of, render

MUTATIONS = 5  # of each seed
ODD = [
    *(
        None,
        True,
        0,
        -1,
        3,
        10**30,
        1.5,
        float("nan"),
        float("inf"),
        "",
        " ",
        "x",
        "7",
        "ten",
        "~",
        "\u00e9\u0000\u2028",
        "a" * 300,
        "s3://x/y",
    ),
    *([], [None], [[]], ["x"], [{}], {}, {"x": 1}, {1: 2}, {None: "y"}, {True: []}, {("a", 1): 2}),
    *(
        datetime.date(2026, 11, 23),
        datetime.datetime(2026, 11, 23, 12),
        b"\x00\xff",
        "{{ lookup('pipe', 'id') }}",
        "c5.xlarge",
        "../../etc",
    ),
]


def places(node, path=()):
    """Yield the path of everything in a seed."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        yield (*path, key)
        yield from places(value, (*path, key))


def mutate(seed, dice):
    """Return a copy with one to three changes."""
    seed = copy.deepcopy(seed)
    for _change in range(dice.choice([1, 1, 1, 2, 3])):
        path = dice.choice(list(places(seed)) or [()])
        if not path:
            return dice.choice(ODD)
        parent = seed
        for key in path[:-1]:
            parent = parent[key]
        _change_one(parent, path[-1], dice)
    return seed


def _change_one(parent, key, dice):
    value = parent[key]
    how = dice.choice(["drop", "retype", "retype", "wrap", "text", "rename", "add", "double"])
    if how == "drop":
        del parent[key]
    elif how == "retype":
        parent[key] = copy.deepcopy(dice.choice(ODD))
    elif how == "wrap":
        parent[key] = dice.choice([[value], {"name": value}, [value, value]])
    elif how == "text":
        parent[key] = str(value)
    elif how == "rename" and isinstance(parent, dict):
        del parent[key]
        parent[dice.choice([f"{key}s", str(key).upper(), str(key).replace("_", "-"), 7, True])] = value
    elif how == "add" and isinstance(parent, dict):
        parent[dice.choice(["description", "version", "x-site", 3])] = copy.deepcopy(dice.choice(ODD))
    elif how == "double" and isinstance(parent, list):
        parent.append(value)


def outcome(text):
    """Return the problems, or [] where everything went well; anything but ExplainedError is a fault of ours."""
    try:
        seed = read_seed(text, SCHEMA, "mutated.yaml").seed
    except ExplainedError as error:
        return [str(error)]
    problems, rendered = render(seed)
    if problems:
        return problems
    assert find_losses(yaml.safe_load(rendered), seed) == []
    return []


@pytest.mark.parametrize("path", [path for path in SEEDS if name_of(path) != "petal/rna-seq.yaml"], ids=name_of)
def test_a_mutated_seed_is_refused_in_words_or_rendered_whole(path):
    seed, dice = yaml.safe_load(path.read_text()), random.Random(name_of(path))
    for number in range(MUTATIONS):
        mutated = mutate(seed, dice)
        for problem in outcome(yaml.dump(mutated, allow_unicode=True)):
            assert problem.strip() and "Traceback" not in problem, (number, mutated)
