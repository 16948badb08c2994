# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The scripts that every node runs once it is configured, and their arguments.

The scripts themselves are roles/cluster_config/files/hooks/*.sh: the same ones for every cluster. What differs is in the
arguments, and hence to be read in the cluster's YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .storage import BucketMount

SOFTWARE, USERS, BUCKETS = "petal-software.sh", "petal-users.sh", "petal-buckets.sh"


def hook_scripts(
    url: str, mount_path: str, users: Iterable[dict], buckets: Iterable[BucketMount], groups: Iterable[dict] = ()
) -> list[dict]:
    """Return the sequence of custom actions, [{"script": url, "args": [text]}]; without a URL there is none.

    url: where the scripts have been uploaded, s3://bucket/prefix or https://…
    mount_path: of the software volume; "" without one.
    """
    if not url:
        return []
    steps = [
        (SOFTWARE, [mount_path] if mount_path else []),
        (USERS, people_arguments(users, groups)),
        (BUCKETS, [bucket_argument(bucket) for bucket in buckets]),
    ]
    return [{"script": f"{url.rstrip('/')}/{script}", "args": arguments} for script, arguments in steps if arguments]


def people_arguments(users: Iterable[dict], groups: Iterable[dict]) -> list[str]:
    """Return the users of a seed with its groups, first "chem:6001" for each group, since only the seed knows their ids.

    Without users there is nobody to be in a group.
    """
    people = [user_argument(user) for user in users]
    return [*(f"{group['name']}:{group['gid']}" for group in groups), *people] if people else []


def user_argument(user: dict) -> str:
    """Return "alice:5001:5001:chem,bio": name, uid, gid and further groups (may be empty)."""
    return f"{user['name']}:{user['uid']}:{user['gid']}:{','.join(user.get('groups') or [])}"


def bucket_argument(mount: BucketMount) -> str:
    """Return "data:/s3/shared/data:/shared/data:rw": bucket, mount point, link (may be empty), rw or ro."""
    return f"{mount.bucket}:{mount.mount_point}:{mount.link}:{'ro' if mount.read_only else 'rw'}"


def hooks_url_problems(url: str) -> list[str]:
    """UrlValidator: ParallelCluster takes scripts from S3 and HTTPS."""
    if not url or re.match(r"(s3://[a-z0-9.-]{3,63}(/|$)|https://[^/])", url):
        return []
    return [f"cluster_config_hooks is {url!r}: ParallelCluster takes scripts from s3://bucket/prefix and https:// only."]


def own_scripts(scripts: Iterable[dict]) -> list[dict]:
    """Return a user's own scripts as custom actions; they run after ours, in their order."""
    return [{"script": one["script"], "args": [str(argument) for argument in one.get("args") or []]} for one in scripts]


def script_problems(scripts: Iterable[dict]) -> list[str]:
    """UrlValidator, for a user's own scripts."""
    return [
        f"cluster_config_scripts: {one.get('script')!r} is no script at s3://bucket/key or https://…; ParallelCluster takes no other."
        for one in scripts
        if not re.match(r"(s3://[a-z0-9.-]{3,63}/.|https://[^/]+/.)", str(one.get("script", "")))
    ]


def s3_access(buckets: Iterable[BucketMount], scripts: Iterable[str]) -> list[dict]:
    """Return what a node may do with S3, [{"bucket", "key" or "", "write"}]: its mounts, and reading the folders of the scripts.

    A bucket that is mounted twice is writable when one of its mounts is.
    """
    access: dict[tuple[str, str], dict] = {}
    for mount in buckets:
        entry = access.setdefault((mount.bucket, ""), {"bucket": mount.bucket, "key": "", "write": False})
        entry["write"] = entry["write"] or not mount.read_only
    for script in scripts:
        if script.startswith("s3://"):
            bucket, _slash, key = script.removeprefix("s3://").partition("/")
            folder = key.rpartition("/")[0]
            pattern = f"{folder}/*" if folder else ""
            if (bucket, "") not in access:
                access.setdefault((bucket, pattern), {"bucket": bucket, "key": pattern, "write": False})
    return list(access.values())
