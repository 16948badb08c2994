from plugins.module_utils._core.errors import ExplainedError, ManyProblems


def test_the_message_says_what_happened_and_what_to_do():
    assert str(ExplainedError("It is full.", next_step="Empty it.")) == "It is full. Empty it."
    assert str(ExplainedError("It is full.")) == "It is full."


def test_the_result_carries_the_details_and_leaves_out_what_is_unknown():
    result = ExplainedError("It is full.", resource="vol-1", next_step="Empty it.", size_gib=5).to_result()
    assert result == {"msg": "It is full. Empty it.", "resource": "vol-1", "next_step": "Empty it.", "size_gib": 5}
    assert ExplainedError("It is full.").to_result() == {"msg": "It is full."}


def test_many_problems_are_listed_in_order_with_one_next_step():
    error = ManyProblems("Two things are wrong:", ["first", "second"], resource="seed.yaml", next_step="Correct them.")
    assert str(error) == "Two things are wrong:\n  - first\n  - second\nCorrect them."
    assert error.to_result()["problems"] == ["first", "second"]


def test_many_problems_are_caught_as_an_explained_error():
    assert isinstance(ManyProblems("Wrong:", ["x"]), ExplainedError)
