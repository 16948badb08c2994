# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudFormation templates, as a stack keeps them: the text that it was made from, YAML or JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import ExplainedError

try:
    import yaml
except ImportError:  # Ansible itself always has it.
    yaml = None


def parse_template(body: str | Mapping[str, Any], stack: str) -> dict[str, Any]:
    """Return a template as plain values; a short tag such as !Ref becomes its long form, {"Ref": …}.

    body: what GetTemplate answers. boto3 has parsed it where it is JSON; YAML, as ParallelCluster writes it, comes as text.
    Raises ExplainedError for what is no template.
    Source: aws-parallelcluster 3.16.1, models.cluster (upload_cfn_template) and models.s3_bucket (format_content).
    """
    try:
        template = body if isinstance(body, Mapping) else _parse(body)
    except ValueError as error:
        raise _unreadable(stack, " ".join(str(error).split())) from error
    if not isinstance(template, Mapping):
        raise _unreadable(stack, "it is no mapping")
    return dict(template)


def _parse(text: str) -> Any:
    # YAML takes nearly all of JSON, but no tab between its tokens.
    if text.lstrip().startswith("{"):
        return json.loads(text)
    if yaml is None:
        raise ValueError("it is YAML, and PyYAML is missing")
    try:
        return yaml.load(text, Loader=_loader())
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _unreadable(stack: str, why: str) -> ExplainedError:
    return ExplainedError(
        f"The template of stack {stack} cannot be read: {why}.",
        resource=stack,
        next_step=f"See it with `aws cloudformation get-template --stack-name {stack}`.",
    )


def _loader() -> type:
    """Return a safe loader that knows CloudFormation's short tags.

    Source: CloudFormation Template Reference, "Intrinsic function reference": !GetAtt takes a list or "resource.attribute".
    """

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        pass

    def long_form(loader: Any, tag: str, node: Any) -> dict[str, Any]:
        if isinstance(node, yaml.ScalarNode):
            value = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            value = loader.construct_sequence(node, deep=True)
        else:
            value = loader.construct_mapping(node, deep=True)
        if tag == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": value}

    Loader.add_multi_constructor("!", long_form)
    return Loader
