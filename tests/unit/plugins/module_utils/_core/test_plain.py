from plugins.module_utils._core.plain import plain


class Text(str):
    pass


class Mapping(dict):
    pass


def test_values_become_pythons_own():
    value = plain(Mapping(name=Text("x"), many=(1, True, 2.5, None, Text("y"))))
    assert value == {"name": "x", "many": [1, True, 2.5, None, "y"]}
    assert type(value) is dict
    assert {type(item) for item in value["many"]} == {int, bool, float, type(None), str}
