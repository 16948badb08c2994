"""Take configurations through the levels of the role's own check, in an account that holds what they need."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import boto3

from tests.judge import simulated_account
from tests.judge.needs import Needs, correct, merge, needs_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHECK = ROOT / "roles/cluster_config/files/validate_cluster_config.py"


def load_check():
    """Return the script that the role runs, as a module."""
    spec = importlib.util.spec_from_file_location("validate_cluster_config", CHECK)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


check = load_check()


def judge(files: list[str], level: str = "validators", world: Needs | None = None, cluster_name: str | None = None) -> list:
    """Return each file as Checked, with ParallelCluster's findings.

    world: what the account really holds where that differs from what the configurations hope for, for example
      {"snapshots": {"snap-0123456789abcdef0": {"size_gib": 300}}, "subnets": {"subnet-0123456789abcdef0": {"public": True}}}.
    """
    simulated_account.credentials()
    read = [check.read(file, cluster_name) for file in files]
    good = [file for file in read if file.ok]
    with simulated_account.in_process():
        for region in _regions(good) if level != "schema" else ():
            needs = merge([needs_of(file.config, region) for file in good if file.region == region])
            simulated_account.Region(region).fill(correct(needs, world or {}))
        check.check(good, level)
    return read


def _regions(files: list) -> list[str]:
    """Return the regions that files name; the check itself refuses one that does not exist."""
    return sorted({file.region for file in files} & set(boto3.session.Session().get_available_regions("ec2")))
