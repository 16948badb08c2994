"""What the tests of the lab say often."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

ZONE = "us-east-1a"
OTHER_ACCOUNT = "111122223333"

proves = pytest.mark.proves  # the rules, by name, without which the test fails
NEVER = 3600.0  # seconds; a slow state of this length lasts as long as any test


@contextlib.contextmanager
def refused(code: str, text: str = "") -> Iterator[None]:
    """The block ends in an EC2 error of this code, whose message contains `text`."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert (error["Code"], text in error["Message"]) == (code, True), error
