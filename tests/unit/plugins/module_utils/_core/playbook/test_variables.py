import pytest

from plugins.module_utils._core.playbook.variables import (
    detached_variables,
    example_of,
    missing_variables,
    names_in,
    playbook_definition,
    problems_of,
)

DATA = {
    "variables": {
        "apply": {"type": "bool", "words": "Change it", "default": False},
        "build_id": {"type": "str", "words": "A build", "example": "…", "hint": "build_list lists them"},
        "kms_key_ids": {"type": "dict", "words": "Keys", "example": {"eu-west-1": "alias/software"}},
        "region": {"type": "str", "words": "The region", "example": "us-east-1", "detached": True},
        "regions": {"type": "list", "words": "The regions", "example": ["eu-west-1"], "default": "one"},
        "registry": {"type": "registry", "words": "A registry"},
        "seed": {"type": "path", "words": "A seed", "example": "FILE.yaml"},
        "size_gib": {"type": "int", "words": "The size", "default": 500, "detached": True},
        "state": {"type": "str", "words": "Its life", "choices": ["deprecated", "retired"]},
        "subnet": {"type": "str", "words": "A subnet"},
        "watch_interval": {"type": "float", "words": "Seconds", "default": 10},
    },
    "groups": {"copies": {"takes": ["regions", "kms_key_ids"]}},
    "playbooks": {
        "build_seed": {"required": ["seed"], "later": ["subnet"], "takes": ["size_gib", "region"]},
        "change": {
            "required": ["seed or build_id and region"],
            "takes": ["apply", "registry", "state", "watch_interval"],
            "with": ["copies", "build_seed"],
            "but": {"regions": {"default": "all"}},
            "exclusive": [["apply", "state"]],
        },
    },
}
BUILD, CHANGE = playbook_definition(DATA, "build_seed"), playbook_definition(DATA, "change")


def test_a_playbook_takes_what_it_names_and_what_groups_and_other_playbooks_take():
    assert set(CHANGE["variables"]) == set(DATA["variables"])
    assert list(CHANGE["variables"])[:3] == ["seed", "build_id", "region"]
    assert CHANGE["later"] == []


def test_a_variable_may_be_otherwise_for_one_playbook():
    assert CHANGE["variables"]["regions"]["default"] == "all"
    assert DATA["variables"]["regions"]["default"] == "one"


def test_the_variables_of_a_detached_build_are_those_that_say_so():
    assert detached_variables(DATA) == ["size_gib", "region"]


def test_what_is_given_and_fits_is_no_problem():
    assert problems_of(BUILD, {"seed": "one.yaml", "size_gib": "8", "unknown": object()}) == []


@pytest.mark.parametrize("nothing", [{}, {"seed": None}, {"seed": ""}, {"seed": []}, {"seed": {}}])
def test_all_that_is_missing_is_told_at_once_and_so_is_what_is_needed_later(nothing):
    assert problems_of(BUILD, nothing) == [
        "seed is missing: add -e seed=FILE.yaml (A seed)",
        "subnet is missing: add -e subnet=… (A subnet)",
    ]


def test_what_is_needed_later_is_no_problem_yet_where_nothing_else_is_missing():
    assert problems_of(BUILD, {"seed": "one.yaml"}) == []
    assert problems_of(BUILD, {"seed": "one.yaml", "size_gib": "large"}) == [
        "size_gib is 'large', not a whole number: give it as -e size_gib=500"
    ]
    assert missing_variables(BUILD, {"seed": "one.yaml"}, "later") == ["subnet is missing: add -e subnet=… (A subnet)"]
    assert missing_variables(BUILD, {"subnet": "subnet-1"}, "later") == []


@pytest.mark.parametrize(
    ("given", "met"), [({"seed": "x"}, True), ({"build_id": "x"}, False), ({"build_id": "x", "region": "x"}, True), ({}, False)]
)
def test_one_complete_alternative_is_enough(given, met):
    assert (problems_of(CHANGE, given) == []) == met


def test_alternatives_are_all_named_with_what_a_person_wants_to_know():
    assert problems_of(CHANGE, {}) == [
        "seed or build_id and region is missing: add -e seed=FILE.yaml (A seed), "
        "or -e build_id=… (build_list lists them) -e region=us-east-1 (The region)"
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("apply", value) for value in (True, False, "true", "Yes", "on", "no", "0", 0, 1)),
        *(("size_gib", value) for value in (8, "8", 0, "8.0", "-1")),
        *(("watch_interval", value) for value in (8, "0.5", 0.5)),
        *(("regions", value) for value in (["a"], ("a",), "a", "a,b", '["a", "b"]', "['a']", 111122223333)),
        *(("kms_key_ids", value) for value in ({"a": "b"}, '{"a": "b"}', "{'a': 'b'}", "a=b")),
        *(("registry", value) for value in ("/srv/registry", "s3://bucket/prefix", "github:owner/name", "relative")),
        *(("build_id", value) for value in ("a", 12, 1.5)),
        ("state", "retired"),
    ],
)
def test_a_value_may_be_what_ansible_reads_as_the_type(name, value):
    assert problems_of(CHANGE, {"seed": "x", name: value}) == []


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        *(("apply", value, "not true or false: give it as -e apply=true") for value in ("maybe", "y", 2, ["true"], 1.0)),
        *(("size_gib", value, "not a whole number: give it as -e size_gib=500") for value in ("500Gi", "8.5", True, [8], "nan", "inf")),
        *(("watch_interval", value, "not a number: give it as -e watch_interval=10") for value in ("soon", "inf", True)),
        *(("regions", value, 'not a list: give it as -e \'{"regions": ["eu-west-1"]}\'') for value in ({"a": "b"}, "[a", '["a",')),
        *(("kms_key_ids", value, 'not a dictionary: give it as -e \'{"kms_key_ids": {') for value in (["a"], "a", "{a")),
        ("seed", ["a.yaml", "b.yaml"], "seed is a list, not a path: give it as -e seed=FILE.yaml"),
        ("registry", 8, "not a path or an address"),
        ("registry", "http://example.com", "Use a path, s3://"),
        ("build_id", {"a": 1}, "build_id is a dictionary, not a text"),
        ("state", "gone", "state is 'gone'; it can be deprecated, retired: give it as -e state=deprecated"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_one_that_does(name, value, problem):
    (told,) = problems_of(CHANGE, {"seed": "x", name: value})
    assert told.startswith(name) and problem in told


def test_a_value_is_not_told_whole_where_it_may_hold_much():
    (told,) = problems_of(CHANGE, {"seed": "x", "size_gib": "9" * 500 + "x"})
    assert len(told) < 150
    (told,) = problems_of(CHANGE, {"seed": "x", "build_id": {"password": "secret"}})
    assert "secret" not in told


@pytest.mark.parametrize(("apply", "told"), [(True, 1), ("yes", 1), (False, 0), ("no", 0), (None, 0)])
def test_what_excludes_each_other_is_told_unless_a_flag_is_false(apply, told):
    assert len(problems_of(CHANGE, {"seed": "x", "state": "retired", "apply": apply})) == told


def test_everything_is_told_in_one_go():
    given = {"state": "gone", "apply": "maybe", "size_gib": "large", "regions": {}}
    assert len(problems_of(CHANGE, given)) == 5


def test_names_of_requirements_are_named_once():
    assert names_in(["seed or build_id and region", "region"]) == ["seed", "build_id", "region"]


@pytest.mark.parametrize("name", DATA["variables"])
def test_an_example_gives_the_variable_that_it_is_of(name):
    variable = DATA["variables"][name]
    assert example_of(name, variable).startswith((f"-e {name}=", f'-e \'{{"{name}": '))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ({"type": "bool", "default": True}, "false"),
        ({"type": "bool"}, "true"),
        ({"type": "int", "default": "a quarter"}, "10"),
        ({"type": "float", "default": 15}, "15"),
        ({"type": "str", "default": "b", "choices": ["a", "b"]}, "a"),
        ({"type": "path", "default": "NAME.yaml"}, "FILE"),
    ],
)
def test_an_example_is_one_that_changes_something_where_that_can_be_seen(variable, value):
    assert example_of("x", variable) == f"-e x={value}"
