"""What a running lab tells its users: files in its state folder for Ansible, for a shell, and for ssh."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from . import places
from .client import REGION, Lab
from .world import GATEWAY, KEY_NAME


def write(state: Path, hosts: bool) -> dict[str, Any]:
    """Write vars.json (for ansible-playbook -e), environment (to be sourced) and ssh_config (for ssh -F); returns the variables."""
    lab = Lab(f"http://127.0.0.1:{(state / 'port').read_text()}", {}, None)
    variables = {**_of_the_product(lab, state), **_of_the_lab(lab, state, hosts)}
    (state / "environment").write_text("".join(f"export {key}={shlex.quote(value)}\n" for key, value in lab.environment().items()))
    (state / "ssh_config").write_text(
        "Host 10.77.*\n"
        f"  ProxyCommand {_way_to_the_hosts(state.name)}\n"
        f"  IdentityFile {state / 'key'}\n"
        "  User root\n"
        # The next lab gives the addresses to others.
        f"  UserKnownHostsFile {state / 'known_hosts'}\n"
        "  StrictHostKeyChecking accept-new\n"
        "  LogLevel ERROR\n"
    )
    # The last file: a lab that has it is complete.
    (state / "vars.json").write_text(json.dumps(variables, indent=2) + "\n")
    return variables


def _of_the_product(lab: Lab, state: Path) -> dict[str, Any]:
    """Return variables of the collection's roles."""
    ec2 = lab.client("ec2")
    zone = f"{REGION}a"
    subnet = ec2.describe_subnets(Filters=[{"Name": "availability-zone", "Values": [zone]}])["Subnets"][0]
    default_group = [{"Name": "vpc-id", "Values": [subnet["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    groups = ec2.describe_security_groups(Filters=default_group)["SecurityGroups"]
    return {
        "region": REGION,
        "build_host_availability_zone": zone,
        "build_host_subnet_id": subnet["SubnetId"],
        "build_host_security_group_ids": [group["GroupId"] for group in groups],
        "build_host_key_name": KEY_NAME,
        "build_host_private_key_file": str(state / "key"),
        "build_host_ssh_common_args": f'-o ProxyCommand="{_way_to_the_hosts(state.name)}"',
        "cluster_config_subnet_id": subnet["SubnetId"],
        "cluster_config_key_name": KEY_NAME,
    }


def _of_the_lab(lab: Lab, state: Path, hosts: bool) -> dict[str, Any]:
    """Return what tests and demonstrations ask the lab for."""
    return {
        "lab_name": state.name,
        "lab_state_dir": str(state),
        "lab_endpoint": lab.endpoint,
        "lab_endpoint_for_hosts": f"http://{GATEWAY}",
        "lab_hosts": hosts,
    }


def _way_to_the_hosts(lab_name: str) -> str:
    """Return ssh's ProxyCommand: a host's address means something only in the lab's network namespace."""
    return f"nsenter --net={places.network(f'petal-{lab_name}')} nc %h %p"
