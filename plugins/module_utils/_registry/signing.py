# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Signatures of registry entries, made and checked by OpenSSH's ssh-keygen."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import tempfile
from collections.abc import Iterator

from .._core.errors import ExplainedError
from .._core.registry.entries import Signature
from .._core.registry.trust import NAMESPACE, check_signer

LONGEST_RUN = 60


class Signer:
    """Signs with a private key, or with a public one whose private half an agent holds.

    name: whose key it is, as the readers' allowed_signers say. key: its path.
    """

    def __init__(self, name: str, key: str):
        self.name = check_signer(name)
        self._key = pathlib.Path(key).expanduser()
        if not self._key.is_file():
            raise ExplainedError(
                f"There is no key at {key}.", resource=key, next_step="Check the path, or make one with ssh-keygen -t ed25519."
            )

    def sign(self, text: str) -> Signature:
        done = _ssh_keygen("sign", "-f", str(self._key), "-n", NAMESPACE, text=text)
        if done.returncode:
            raise ExplainedError(
                f"Cannot sign with {self._key}: {_said(done)}.",
                resource=str(self._key),
                next_step="Use a key without a passphrase, or a public key whose private half an SSH agent holds.",
            )
        return Signature(self.name, done.stdout)

    def made(self, text: str, signature: Signature) -> bool:
        """Say whether a signature is one on the text by this very key."""
        if signature.signer != self.name:
            return False
        with _file(f"{self.name} {self._public_key()}") as allowed, _file(signature.signature) as file:
            return _ssh_keygen("verify", "-f", allowed, "-I", self.name, "-n", NAMESPACE, "-s", file, text=text).returncode == 0

    def _public_key(self) -> str:
        content = self._key.read_text(encoding="utf-8", errors="replace")
        if "PRIVATE KEY" not in content:
            return content
        done = _run("ssh-keygen", "-y", "-P", "", "-f", str(self._key))
        if done.returncode:
            raise ExplainedError(
                f"Cannot read the key {self._key}: {_said(done)}.",
                resource=str(self._key),
                next_step="Use a key without a passphrase, or a public key whose private half an SSH agent holds.",
            )
        return done.stdout

    def fits(self, text: str, signature: Signature) -> bool:
        """Say whether a signature is one on the text, by whatever key."""
        with _file(signature.signature) as file:
            return _ssh_keygen("check-novalidate", "-n", NAMESPACE, "-s", file, text=text).returncode == 0


class Verifier:
    """Knows whose signatures count: those of a file allowed_signers, as `man ssh-keygen` describes it."""

    def __init__(self, allowed_signers: str):
        self._allowed = pathlib.Path(allowed_signers).expanduser()
        if not self._allowed.is_file():
            raise ExplainedError(
                f"There is no list of allowed signers at {allowed_signers}.",
                resource=allowed_signers,
                next_step=f'Make one; a line is: builds@example.com namespaces="{NAMESPACE}" ssh-ed25519 AAAA….',
            )

    def problem(self, text: str, signature: Signature) -> str | None:
        """Return why a signature does not count, or None when it does."""
        try:
            name = check_signer(signature.signer)
        except ExplainedError as error:
            return str(error)
        with _file(signature.signature) as file:
            done = _ssh_keygen("verify", "-f", str(self._allowed), "-I", name, "-n", NAMESPACE, "-s", file, text=text)
        return f"the signature of {name} does not count: {_said(done)}" if done.returncode else None


@contextlib.contextmanager
def _file(content: str) -> Iterator[str]:
    """Yield the path of a file with that content: ssh-keygen takes signatures from files only."""
    with tempfile.NamedTemporaryFile("w", prefix="petal-signature-", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        yield file.name


def _ssh_keygen(action: str, *options: str, text: str) -> subprocess.CompletedProcess[str]:
    return _run("ssh-keygen", "-Y", action, *options, text=text)


def _run(*command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    try:
        # run_command belongs to a module; this is used without one, too.
        # pylint: disable-next=ansible-bad-function
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=LONGEST_RUN)
    except FileNotFoundError as error:
        raise ExplainedError("ssh-keygen is not installed.", next_step="Install the OpenSSH client (8.2 or newer).") from error


def _said(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip().rstrip(".") for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return "; ".join(lines) or f"ssh-keygen ended with {done.returncode}"
