"""Tags: which ones a resource may carry."""

from __future__ import annotations

from tests.lab.rules.rulebook import Call, check, refuse

TAGS_AT_MOST, KEY_LENGTH, VALUE_LENGTH = 50, 128, 256
TAGGABLE = {
    "CopySnapshot": ("snapshot",),
    "CreateSnapshot": ("snapshot",),
    "CreateSnapshots": ("snapshot",),
    "CreateVolume": ("volume",),
    "RunInstances": ("instance", "volume", "network-interface", "spot-instances-request"),
}


@check(*TAGGABLE)
def tags_are_for_what_is_created(call: Call) -> None:
    """TagSpecifications name a type of resource that the action creates: InvalidParameterValue.

    Source: EC2 API Reference, TagSpecification, field ResourceType.
    """
    for specification in call.get("TagSpecifications", []):
        kind = specification.get("ResourceType")
        if kind not in TAGGABLE[call.action]:
            refuse("InvalidParameterValue", f"'{kind}' is not a valid taggable resource type for this operation.")


@check(*TAGGABLE, "CreateTags", "DeleteTags")
def aws_prefix_is_reserved(call: Call) -> None:
    """A key does not begin with aws: InvalidParameterValue.

    Source: Amazon EC2 User Guide, "Tag your Amazon EC2 resources", tag restrictions.
    """
    for key, _ in _tags(call):
        if key.lower().startswith("aws:"):
            refuse("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")


@check(*TAGGABLE, "CreateTags")
def tags_have_a_length(call: Call) -> None:
    """A key has 1 to 128 characters, a value at most 256: InvalidParameterValue.

    Source: Amazon EC2 User Guide, "Tag your Amazon EC2 resources", tag restrictions.
    """
    for key, value in _tags(call):
        if not 1 <= len(key) <= KEY_LENGTH:
            refuse("InvalidParameterValue", f"Tag key exceeds the maximum length of {KEY_LENGTH} characters")
        if len(value) > VALUE_LENGTH:
            refuse("InvalidParameterValue", f"Tag value exceeds the maximum length of {VALUE_LENGTH} characters")


@check(*TAGGABLE)
def key_is_given_once(call: Call) -> None:
    """Each key is unique for its resource: InvalidParameterValue.

    Source: Amazon EC2 User Guide, "Tag your Amazon EC2 resources", tag restrictions.
    """
    for specification in call.get("TagSpecifications", []):
        keys = [tag["Key"] for tag in specification.get("Tags", [])]
        for key in keys:
            if keys.count(key) > 1:
                refuse("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")


@check(*TAGGABLE)
def new_resource_has_fifty_tags(call: Call) -> None:
    """A request with more than 50 tags for its resource creates nothing: TagLimitExceeded.

    Source: Amazon EC2 User Guide, "Tag your Amazon EC2 resources": maximum number of tags per resource.
    """
    for specification in call.get("TagSpecifications", []):
        if len(specification.get("Tags", [])) > TAGS_AT_MOST:
            refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")


def _tags(call: Call) -> list[tuple[str, str]]:
    """All tags of a request, wherever they stand in it."""
    given = list(call.get("Tags", []))
    for specification in call.get("TagSpecifications", []):
        given += specification.get("Tags", [])
    return [(tag["Key"], tag.get("Value", "")) for tag in given]
