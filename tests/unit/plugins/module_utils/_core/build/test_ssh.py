"""What ssh is told of the key of a new host, as ssh itself understands it."""

import shlex
import shutil
import subprocess

import pytest

from plugins.module_utils._core.build.ssh import host_key_arguments

pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="install openssh-client: ssh reads its own options")
INSTANCE = "i-0123456789abcdef0"


def understood(arguments):
    """Return the options as ssh would use them."""
    program = ["ssh", "-F", "none", "-G", *shlex.split(arguments), "10.0.0.7"]
    printed = subprocess.run(program, check=True, capture_output=True, text=True).stdout
    return dict(line.split(" ", 1) for line in printed.splitlines() if " " in line)


@pytest.mark.parametrize("folder", ["/tmp/run", "/home/ada smith/.ansible/tmp/run", "/tmp/50%h"])
def test_a_key_is_accepted_once_under_the_id_of_the_instance_in_a_list_of_the_run(folder):
    options = understood(host_key_arguments(INSTANCE, folder))
    assert (options["stricthostkeychecking"], options["hostkeyalias"]) == ("accept-new", INSTANCE)
    # ssh prints the path before it looks for tokens in it.
    assert options["userknownhostsfile"].replace("%%", "%").strip('"') == f"{folder}/petal-known-hosts"


def test_a_host_that_is_gone_is_not_waited_for_without_end():
    options = understood(host_key_arguments(INSTANCE, "/tmp/run"))
    assert (options["serveraliveinterval"], options["serveralivecountmax"]) == ("15", "8")


def test_what_the_user_gives_wins():
    options = understood(host_key_arguments(INSTANCE, "/tmp/run", "-o ProxyJump=bastion -o StrictHostKeyChecking=yes"))
    assert (options["stricthostkeychecking"], options["proxyjump"]) == ("true", "bastion")
