"""The node hooks of the collection, where a user would put them: in a bucket of the lab."""

from __future__ import annotations

from tests.lab import places
from tests.lab.client import Lab

SCRIPTS = places.REPOSITORY / "roles/cluster_config/files/hooks"
BUCKET = "petal-lab-hooks"


def publish(lab: Lab) -> str:
    """Upload the hooks and return their place, as cluster_config_hooks wants it."""
    s3 = lab.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for script in SCRIPTS.glob("*.sh"):
        s3.put_object(Bucket=BUCKET, Key=f"petal/{script.name}", Body=script.read_bytes())
    return f"s3://{BUCKET}/petal"
