"""S3 objects, as far as several writers meet on one."""

from __future__ import annotations

from typing import Any

from moto.s3.responses import S3Response

from tests.lab.rules.rulebook import WRITING, extend


@extend(S3Response, "put_object")
@extend(S3Response, "delete_object")
def conditional_changes_are_atomic(original: Any, response: Any) -> Any:
    """Of several requests that name one version of an object, or none, to replace it, one succeeds: PreconditionFailed for the others.

    Source: Amazon S3 User Guide, "Add preconditions to S3 operations with conditional requests".
    """
    with WRITING:
        return original(response)
