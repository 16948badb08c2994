"""The lab that the integration tests talk to."""

from tests.lab.fixtures import lab

__all__ = ["lab"]
