"""CloudFormation stacks, as far as ParallelCluster's are watched: their creation takes time, and a failed one is undone."""

from __future__ import annotations

from typing import Any

from moto.cloudformation.models import CloudFormationBackend, Event, Stack

from tests.lab import states
from tests.lab.rules.rulebook import derive, extend

# What a stack really makes here; moto would make half of the rest, and lacks the libraries for some of it.
PLAYED = ("AWS::EC2::Volume", "AWS::EC2::SecurityGroup", "AWS::EC2::NetworkInterface")


@extend(Stack, "_parse_template")
def template_is_kept_as_it_was_given(original: Any, stack: Stack) -> None:
    """GetTemplate answers with the text that a stack was made from, YAML or JSON, all of it.

    Of its resources the lab makes the volumes, security groups and network interfaces.
    Source: CloudFormation API Reference, GetTemplate, TemplateBody: the original template as it was sent.
    """
    original(stack)
    resources = stack.template_dict["Resources"]
    stack.template_dict["Resources"] = {name: one for name, one in resources.items() if one["Type"] in PLAYED}
    stack.template_dict.pop("Outputs", None)


@extend(CloudFormationBackend, "create_stack")
def failed_stack_is_rolled_back(original: Any, backend: CloudFormationBackend, name: str, *arguments: Any, **named: Any) -> Stack:
    """A stack with a resource that cannot be made tells why, deletes what it made and may delete, and stays as ROLLBACK_COMPLETE.

    Source: CloudFormation User Guide, "Choose how to handle failures when provisioning resources".
    """
    try:
        return original(backend, name, *arguments, **named)
    except Exception as error:
        begun = [stack for stack in backend.stacks.values() if stack.name == name and stack.status == "CREATE_IN_PROGRESS"]
        if not begun:
            raise
        (stack,) = begun
        _tell_what_failed(stack, str(getattr(error, "description", error)))
        stack.resource_map.delete()
        stack._add_stack_event("ROLLBACK_COMPLETE")
        stack.status = "ROLLBACK_COMPLETE"
        return stack


def _tell_what_failed(stack: Stack, reason: str) -> None:
    made = stack.resource_map._parsed_resources
    name = next(name for name in stack.template_dict["Resources"] if not made.get(name))
    kind = stack.template_dict["Resources"][name]["Type"]
    stack.events.append(Event(stack.stack_id, stack.name, name, "", kind, "CREATE_FAILED", reason, None))
    stack._add_stack_event("ROLLBACK_IN_PROGRESS", f"The following resource(s) failed to create: [{name}]. Rollback requested by user.")


@derive(Stack, "status")
def stack_is_created_slowly(original: Any, stack: Stack) -> str:
    """CREATE_IN_PROGRESS comes before the state in which a creation ends.

    Source: CloudFormation API Reference, Stack, field StackStatus.
    """
    status = original(stack)
    waits = status in ("CREATE_COMPLETE", "ROLLBACK_COMPLETE") and states.progress("stack", stack.creation_time) < 1
    return "CREATE_IN_PROGRESS" if waits else status
