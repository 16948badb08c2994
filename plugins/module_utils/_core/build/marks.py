# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the resources of a build are marked and found: everything lies in tags, so that any controller can find it."""

from __future__ import annotations

from .. import tags
from .parent import lineage_tags, parent_tags


def build_tags(
    build_id: str,
    variant: dict | None = None,
    stage: str | None = None,
    lock: str | None = None,
    package_count: int | None = None,
    seed: str | None = None,
    parent: dict | None = None,
    seconds: float | None = None,
    proof: str | None = None,
    hashes: dict | None = None,
    copy_of: str | None = None,
) -> dict[str, str]:
    """Return the tags of a resource that belongs to a build.

    variant: what the filter seed_variants returns; its platform and fingerprint become tags.
    stage: the last stage that the build has finished.
    lock, package_count: what was built. seed: the name of the seed. parent: one of what rank_parents returns. seconds: how long it took.
    proof: "passed" once every package was loaded and run in a clean room.
    hashes: {"manifest", "spack_lock", "sbom"} of what is on the volume. copy_of: the build's volume, for a copy of it.
    """
    hashes = hashes or {}
    variant = variant or {}
    values = {
        tags.BUILD_ID: build_id,
        tags.FINGERPRINT: variant.get("fingerprint"),
        tags.OS: variant.get("os"),
        tags.ARCH: variant.get("arch"),
        tags.TARGET: variant.get("target"),
        tags.SPACK: variant.get("spack_version"),
        tags.EXTERNALS: " ".join(f"{name}@{version}" for name, version in sorted(variant.get("externals", {}).items())),
        tags.IMAGE: variant.get("image_id"),
        tags.STAGE: stage,
        tags.LOCK: lock,
        tags.PACKAGE_COUNT: package_count,
        tags.SEED: seed,
        tags.BUILD_SECONDS: seconds,
        tags.PROOF: proof,
        tags.SPACK_LOCK: hashes.get("spack_lock"),
        tags.MANIFEST: hashes.get("manifest"),
        tags.SBOM: hashes.get("sbom"),
        tags.COPY_OF: copy_of,
        **lineage_tags(variant),
        **parent_tags(parent or {}),
    }
    return tags.managed(extra={tags.key(name): str(value) for name, value in values.items() if value not in (None, "")})


def build_filters(build_id: str | list[str]) -> dict[str, str | list[str]]:
    """Return the EC2 filters that find the resources of a build, or of several, and only ours. "*" finds all builds."""
    return {f"tag:{tags.key(tags.BUILD_ID)}": build_id, f"tag:{tags.CREATED_BY}": tags.CREATOR}
