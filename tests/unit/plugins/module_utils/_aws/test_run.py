import pytest

from plugins.module_utils._aws import run as frame
from plugins.module_utils._aws.snapshot_making import sending_once
from plugins.module_utils._core.errors import ExplainedError


class Ended(Exception):
    """A module ends its process where it exits or fails."""


class FakeModule:
    """An AnsibleAWSModule that remembers how it was made and how it ended."""

    made = None

    def __init__(self, argument_spec, supports_check_mode, **rules):
        FakeModule.made = self
        self.argument_spec, self.supports_check_mode, self.rules = argument_spec, supports_check_mode, rules
        self.params, self.warnings, self.ended = {"aws_config": {"user_agent": "us"}}, [], None

    def warn(self, text):
        self.warnings.append(text)

    def exit_json(self, **result):
        self.ended = ("exit", result)
        raise Ended

    def fail_json(self, **result):
        self.ended = ("fail", result)
        raise Ended

    def client(self, service, **connection):
        return service, connection


@pytest.fixture
def ended(monkeypatch):
    """Return what runs a module and tells how it ended."""
    monkeypatch.setattr(frame, "AnsibleAWSModule", FakeModule)

    def run(result, **rules):
        def body(module):
            if isinstance(result, Exception):
                raise result
            return result

        with pytest.raises(Ended):
            frame.run_module(body, {"name": {}}, **rules)
        return FakeModule.made

    return run


def test_a_result_is_what_the_module_exits_with_and_its_warnings_are_shown(ended):
    module = ended({"changed": True, "warnings": ["one", "two"]}, required_if=[("name", "x", ["y"])])
    assert module.ended == ("exit", {"changed": True})
    assert module.warnings == ["one", "two"]
    assert (module.argument_spec, module.supports_check_mode, module.rules) == ({"name": {}}, True, {"required_if": [("name", "x", ["y"])]})


def test_a_result_that_failed_is_a_failure(ended):
    module = ended({"changed": True, "failed": True, "msg": "1 of 2 failed", "warnings": ["one"]})
    assert module.ended == ("fail", {"changed": True, "failed": True, "msg": "1 of 2 failed"})
    assert module.warnings == ["one"]


def test_an_explained_error_is_a_failure_with_its_next_step(ended):
    module = ended(ExplainedError("It broke.", resource="vol-1", next_step="Mend it.", aws_code="Broken"))
    assert module.ended == ("fail", {"msg": "It broke. Mend it.", "resource": "vol-1", "next_step": "Mend it.", "aws_code": "Broken"})


def test_any_other_error_is_not_hidden(monkeypatch):
    monkeypatch.setattr(frame, "AnsibleAWSModule", FakeModule)
    with pytest.raises(ZeroDivisionError):
        frame.run_module(lambda module: 1 / 0, {})


def test_a_client_that_sends_once_keeps_the_rest_of_the_module_s_configuration():
    make = sending_once(FakeModule({}, True), region="eu-west-1")
    assert make() == ("ec2", {"region": "eu-west-1", "aws_config": {"user_agent": "us", "retries": {"total_max_attempts": 1}}})
