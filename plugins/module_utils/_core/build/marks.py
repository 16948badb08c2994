# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the resources of a build are marked and found: everything lies in tags, so that any controller can find it."""

from __future__ import annotations

from .. import tags
from ..software.facts import of_variant, software_tags
from .parent import lineage_tags


def build_tags(
    build_id: str,
    variant: dict | None = None,
    outcome: dict | None = None,
    parent: dict | None = None,
    *,
    stage: str | None = None,
    seed: str | None = None,
    copy_of: str | None = None,
) -> dict[str, str]:
    """Return the tags of a resource that belongs to a build.

    variant, outcome, parent: what is built, as of_variant takes them. stage: the last stage that the build has finished.
    seed: the name of the seed. copy_of: the build's volume, for a copy of it.
    """
    ours = {tags.BUILD_ID: build_id, tags.STAGE: stage, tags.SEED: seed, tags.COPY_OF: copy_of}
    values = {**ours, **software_tags(of_variant(variant or {}, outcome, parent)), **lineage_tags(variant or {})}
    return tags.managed(extra={tags.key(name): value for name, value in values.items() if value})


def build_filters(build_id: str | list[str]) -> dict[str, str | list[str]]:
    """Return the EC2 filters that find the resources of a build, or of several, and only ours. "*" finds all builds."""
    return {f"tag:{tags.key(tags.BUILD_ID)}": build_id, f"tag:{tags.CREATED_BY}": tags.CREATOR}
