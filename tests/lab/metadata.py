"""What a host of the lab reaches over the network: the instance metadata service, and the API as a role of its own.

Both listen in the lab's network namespace only. The metadata service is at 169.254.169.254, as on EC2, and answers version 2
requests about the instance that asks, which it knows by its address. It has credentials for an instance with an instance
profile. What these credentials may do, the inline policies of the profile's role say, by action: anything else is refused.
Resources and conditions of a policy are not played.
"""

from __future__ import annotations

import ctypes
import datetime
import fnmatch
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from tests.lab.client import ACCOUNT
from tests.lab.faults import action_of, read_form, refuse

ADDRESS = "169.254.169.254"
API_PORT = 80
CLONE_NEWNET = 0x40000000
TOKEN = "petal-lab"
KEY_OF_ROLE = re.compile(r"Credential=ASIA\.([\w+=,.@-]+?)/\d{8}/[\w-]+/(\w+)/")


def serve(namespace: str, gateway: str, api: Callable[..., Any], find_instance: Callable[[str], Any]) -> list[Any]:
    """Start both services in a network namespace and return their servers, which `shutdown` ends.

    gateway: the address at which hosts reach the API. api: the lab's WSGI application.
    find_instance: returns moto's instance by its private address, or None.
    """
    servers = []
    for address, app in ((gateway, Permissions(api)), (ADDRESS, Metadata(find_instance))):
        listener = _listen(namespace, address, API_PORT)
        server = make_server(address, API_PORT, app, threaded=True, request_handler=MotoRequestHandler, fd=listener.fileno())
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    return servers


def _listen(namespace: str, address: str, port: int) -> socket.socket:
    """Return a listening socket of a network namespace; a socket stays in the namespace in which it was made."""
    made: list[socket.socket] = []

    def make() -> None:
        # Only this thread changes its namespace, and then it ends.
        with Path(f"/run/netns/{namespace}").open() as handle:
            if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), namespace)
        made.append(socket.create_server((address, port), backlog=64))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if not made:
        raise OSError(f"lab: nothing can listen on {address}:{port} in {namespace}")
    return made[0]


class Metadata:
    """The WSGI application of the instance metadata service.

    Source: Amazon EC2 User Guide, "Use the Instance Metadata Service" and "Retrieve security credentials from instance metadata".
    """

    def __init__(self, find_instance: Callable[[str], Any]) -> None:
        self._find_instance = find_instance

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, text = self._answer(environ)
        start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        return [text.encode()]

    def _answer(self, environ: dict[str, Any]) -> tuple[str, str]:
        path = environ["PATH_INFO"].rstrip("/")
        if (environ["REQUEST_METHOD"], path) == ("PUT", "/latest/api/token"):
            return "200 OK", TOKEN
        if environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN") != TOKEN:
            return "401 Unauthorized", ""
        instance = self._find_instance(environ["REMOTE_ADDR"])
        text = self._data(instance).get(path.removeprefix("/latest/")) if instance else None
        return ("404 Not Found", "") if text is None else ("200 OK", text)

    def _data(self, instance: Any) -> dict[str, str]:
        zone = instance.placement.zone
        values = {
            "meta-data/instance-id": instance.id,
            "meta-data/ami-id": instance.image_id,
            "meta-data/instance-type": instance.instance_type,
            "meta-data/local-ipv4": instance.private_ip,
            "meta-data/placement/availability-zone": zone,
            "meta-data/placement/region": zone[:-1],
        }
        role = _role_of(instance)
        if role:
            values["meta-data/iam/security-credentials"] = role
            values[f"meta-data/iam/security-credentials/{role}"] = json.dumps(_credentials(role))
        return values


def _role_of(instance: Any) -> str | None:
    """Return the name of the role in an instance's profile."""
    associations = instance.ec2_backend.iam_instance_profile_associations.values()
    return next((one.iam_instance_profile.roles[0].name for one in associations if one.instance_id == instance.id), None)


def _credentials(role: str) -> dict[str, str]:
    now = datetime.datetime.now(datetime.UTC)
    return {
        "Code": "Success",
        "Type": "AWS-HMAC",
        "LastUpdated": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "Expiration": f"{now + datetime.timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}",
        "AccessKeyId": f"ASIA.{role}",
        "SecretAccessKey": "petal-lab",
        "Token": "petal-lab",
    }


class Permissions:
    """The WSGI layer for requests of hosts: only what the role of the instance allows goes on to the API."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        signer = KEY_OF_ROLE.search(environ.get("HTTP_AUTHORIZATION", ""))
        action = action_of(environ, read_form(environ))
        if signer and allows(signer[1], signer[2], action):
            return self._app(environ, start_response)
        who = f"The role {signer[1]}" if signer else "A host without an instance profile"
        return refuse("UnauthorizedOperation", 403, f"lab: {who} may not {action}.", environ, start_response)


def allows(role: str, service: str, action: str) -> bool:
    """Say whether the inline policies of a role allow an action. S3's requests name no action: any that is allowed will do."""
    if (service, action) == ("sts", "GetCallerIdentity"):
        return True  # Source: STS API Reference, GetCallerIdentity: "No permissions are required to perform this operation"
    policies = iam_backends[ACCOUNT]["aws"].get_role(role).policies.values()
    statements = [statement for policy in policies for statement in json.loads(policy)["Statement"] if statement["Effect"] == "Allow"]
    allowed = [pattern for statement in statements for pattern in statement["Action"]]
    if service == "s3":
        return any(pattern.startswith("s3:") for pattern in allowed)
    return any(fnmatch.fnmatchcase(f"{service}:{action}", pattern) for pattern in allowed)
