import email

import pytest

from plugins.module_utils._core.cluster.consumers import Software, render_for
from plugins.module_utils._core.errors import ExplainedError

SOFTWARE = Software("/shared", snapshot_id="snap-0123456789abcdef0", size_gib=200)


def test_a_block_device_is_made_from_the_snapshot_and_goes_with_its_instance():
    assert render_for("block_device", SOFTWARE) == {
        "DeviceName": "/dev/sdf",
        "Ebs": {"SnapshotId": "snap-0123456789abcdef0", "VolumeSize": 200, "VolumeType": "gp3", "DeleteOnTermination": True},
    }


def test_aws_pcs_gets_the_script_as_the_part_of_a_multipart_message():
    plain, pcs = (render_for(kind, SOFTWARE) for kind in ("launch_template", "pcs_launch_template"))
    message = email.message_from_string(pcs["UserData"])
    (part,) = message.get_payload()
    assert (message.get_content_type(), part.get_content_type()) == ("multipart/mixed", "text/x-shellscript")
    assert part.get_payload(decode=True).decode() == plain["UserData"]
    assert pcs["BlockDeviceMappings"] == plain["BlockDeviceMappings"]


def test_a_host_finds_its_volume_by_its_id():
    assert render_for("fstab", Software("/shared", volume_id="vol-0123456789abcdef0", file_system="xfs")) == (
        "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0 /shared xfs ro,noatime,nofail,x-systemd.device-timeout=90 0 0"
    )


@pytest.mark.parametrize(
    ("consumer", "software", "text"),
    [
        ("fstab", SOFTWARE, "volume_id is missing"),
        ("block_device", Software("/shared", volume_id="vol-0123456789abcdef0"), "snapshot_id is missing"),
        ("block_device", Software("/usr", "snap-0123456789abcdef0", size_gib=8), "belongs to the operating system"),
        ("block_device", Software("/shared", "snap-0123456789abcdef0", size_gib=8, label="a b; rm"), "label is"),
        ("kubernetes", SOFTWARE, "Choose from block_device"),
    ],
)
def test_what_cannot_be_mounted_is_refused(consumer, software, text):
    with pytest.raises(ExplainedError, match=text):
        render_for(consumer, software)
