"""Entries that several tests of registries start from."""

import dataclasses

from plugins.module_utils._core.registry.entries import RegisteredSnapshot, Registration, register

FINGERPRINT = "sha256:" + "0f3a" * 16
OTHER = "sha256:" + "1e2d" * 16
TODAY, LATER = "2026-11-22", "2026-12-24"
VIRGINIA = RegisteredSnapshot(
    "us-east-1",
    "snap-0123456789abcdef0",
    fingerprint=FINGERPRINT,
    os="alinux2023",
    architecture="x86_64",
    target="x86_64_v3",
    size_gib=500,
    aws_account="123456789012",
)
OREGON = dataclasses.replace(VIRGINIA, region="us-west-2", snapshot_id="snap-0123456789abcdef1")
UBUNTU = dataclasses.replace(VIRGINIA, snapshot_id="snap-0123456789abcdef2", os="ubuntu2404", fingerprint=OTHER)
EVERYTHING = RegisteredSnapshot("", "")


def registration(snapshot=VIRGINIA, **facts):
    return Registration("bio", snapshot, **facts)


def entry_of(*snapshots):
    entry = None
    for snapshot in snapshots:
        entry = register(entry, registration(snapshot, description="Genomics", packages=("bwa", "samtools")), TODAY)
    return entry
