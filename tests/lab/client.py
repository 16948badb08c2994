"""Start a lab from Python, and talk to it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from typing import Any

import boto3
from botocore.config import Config

from tests.lab import places, world

REGION = "us-east-1"
ACCOUNT = "123456789012"
START_TIMEOUT = 60  # seconds; a start takes two, and much more on a machine that is busy


class Lab:
    """A running lab. Use it as a context manager: the end of the block stops it and removes its state."""

    def __init__(self, endpoint: str, variables: dict[str, Any], stop: Any):
        self.endpoint, self.variables, self._stop = endpoint, variables, stop
        self._identities: dict[str, dict[str, str]] = {}
        self._clients: dict[tuple[Any, ...], Any] = {}

    @classmethod
    def start(cls, name: str | None = None, hosts: bool = False, data_plane: bool = True) -> Lab:
        """Start a lab and wait until it answers.

        name: of its state folder under `places.labs()`; None for a new one.
        hosts: whether instances are real hosts; else only the API server runs, which needs nothing but Python.
        data_plane: whether volumes are block devices; without root they never are.
        PETAL_LAB_WITHOUT_RULES and PETAL_LAB_WITHOUT_DATA_PLANE in the environment leave those parts out,
        which shows that a test can fail.
        """
        if hosts:
            return cls._start_with_hosts(name)
        places.labs().mkdir(parents=True, exist_ok=True)
        state_dir = places.state(name) if name else pathlib.Path(tempfile.mkdtemp(prefix="api-", dir=places.labs()))
        options = ["--state-dir", str(state_dir), "--until-stdin-closes"]
        if not data_plane or os.environ.get("PETAL_LAB_WITHOUT_DATA_PLANE"):
            options.append("--no-data-plane")
        if os.environ.get("PETAL_LAB_WITHOUT_RULES"):
            options.append("--no-rules")
        server = subprocess.Popen([sys.executable, "-m", "tests.lab.server", *options], cwd=places.REPOSITORY, stdin=subprocess.PIPE)

        def stop() -> None:
            server.terminate()
            server.wait(timeout=START_TIMEOUT)
            server.stdin.close()
            shutil.rmtree(state_dir, ignore_errors=True)

        try:
            port = _wait_for_port(state_dir / "port", server)
        except BaseException:
            stop()
            raise
        return cls(f"http://127.0.0.1:{port}", {"region": REGION, "lab_state_dir": str(state_dir)}, stop)

    @classmethod
    def _start_with_hosts(cls, name: str | None) -> Lab:
        from tests.lab import control

        name = name or f"test-{os.getpid()}"
        variables = control.start(name, hosts=True)
        return cls(variables["lab_endpoint"], variables, functools.partial(control.stop, name))

    @property
    def state_dir(self) -> str:
        """The folder that holds all of the lab."""
        return self.variables["lab_state_dir"]

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the lab, detach its devices, remove its state; a second call does nothing."""
        stop, self._stop = self._stop, None
        if stop:
            stop()

    def environment(self, region: str = REGION, account: str | None = None) -> dict[str, str]:
        """The variables that point boto3, Ansible and the AWS CLI to the lab, and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            **{name.upper(): value for name, value in self._credentials(account).items()},
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service: str, region: str = REGION, account: str | None = None, retries: int = 4) -> Any:
        """A boto3 client, the same for the same arguments. account: another one than the lab's own.

        retries: how often boto3 repeats a failed call.
        """
        kind = (service, region, account, retries)
        if kind not in self._clients:
            self._clients[kind] = self._new_client(*kind)
        return self._clients[kind]

    def _new_client(self, service: str, region: str, account: str | None, retries: int) -> Any:
        config = Config(retries={"mode": "standard", "total_max_attempts": retries + 1}, connect_timeout=5, read_timeout=60)
        return _session().client(service, region_name=region, endpoint_url=self.endpoint, config=config, **self._credentials(account))

    def _credentials(self, account: str | None) -> dict[str, str]:
        """What boto3 signs with: made-up keys for the lab's own account, a role session for another one."""
        if account is None or account == ACCOUNT:
            return dict.fromkeys(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), "petal-lab")
        if account not in self._identities:
            role = f"arn:aws:iam::{account}:role/petal-lab"
            session = self.client("sts").assume_role(RoleArn=role, RoleSessionName="petal-lab")["Credentials"]
            self._identities[account] = {
                "aws_access_key_id": session["AccessKeyId"],
                "aws_secret_access_key": session["SecretAccessKey"],
                "aws_session_token": session["SessionToken"],
            }
        return self._identities[account]

    def run_instance(self, zone: str = f"{REGION}a", **parameters: Any) -> str:
        """Start an instance of the official image in a zone of the default region; returns its id."""
        parameters.setdefault("InstanceType", "c7i.large")
        image = world.official_image(REGION)
        answer = self.client("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1, Placement={"AvailabilityZone": zone}, **parameters)
        return answer["Instances"][0]["InstanceId"]

    def faults(self, faults: list[dict[str, Any]]) -> None:
        """Replace the faults in force, see faults.py; an empty list ends them."""
        self._control("POST", "faults", faults)

    def slow(self, seconds: dict[str, float]) -> dict[str, float]:
        """Change how long slow states take, see states.py; returns all durations."""
        return self._control("POST", "slow", seconds)

    def calls(self) -> dict[str, int]:
        """How often each action was called since the start or `reset_calls`."""
        return self._control("GET", "calls")

    def reset_calls(self) -> None:
        """Count calls from zero."""
        self._control("DELETE", "calls")

    def _control(self, method: str, what: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.endpoint}/lab/{what}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error)["error"]) from error


@functools.cache
def _session() -> boto3.Session:
    return boto3.Session()


def _wait_for_port(path: pathlib.Path, server: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            return int(path.read_text())
        if server.poll() is not None:
            raise RuntimeError(f"The lab's server ended with status {server.returncode} before it answered.")
        time.sleep(0.02)
    raise TimeoutError(f"The lab's server has not answered within {START_TIMEOUT} seconds.")
