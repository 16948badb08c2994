"""The program that searches a volume for secrets, with the rules that the role gives it. The secrets are put together here."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
import yaml

ROLE = pathlib.Path(__file__).resolve().parents[3] / "roles" / "publish_gate"
RULES = yaml.safe_load((ROLE / "vars/main.yml").read_text())["__publish_gate_secret_rules"]
RANDOM = "Zk3Qw8Yb1Nf5Tr7Lp2Xc9Vd4Hm6Js0Gu3Ea8Wo1Ri5"
KEY_BODY = "\n".join([RANDOM * 2] * 4)
PRIVATE_KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{KEY_BODY}\n-----END OPENSSH PRIVATE KEY-----\n"
CONTENTS = {
    "private-key": PRIVATE_KEY,
    "putty-private-key": "PuTTY-User-Key-" + "File-3: ssh-ed25519\n",
    "age-secret-key": "AGE-SECRET-KEY-" + "1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"[:29] * 2,
    "aws-access-key-id": "id = AKIA" + "Q3EGR7TW5NXZ2LKD",
    "aws-secret-access-key": "aws_secret_access_key = " + RANDOM[:40],
    "azure-storage-key": "AccountKey=" + (RANDOM * 3)[:86] + "==",
    "gcp-api-key": "AIza" + RANDOM[:35],
    "github-token": "ghp_" + RANDOM[:36],
    "gitlab-token": "glpat-" + RANDOM[:20],
    "slack-token": "xoxb-" + "1234567890-" + RANDOM[:24],
    "npm-token": "npm_" + RANDOM[:36],
    "pypi-token": "pypi-AgEI" + "cHlwaS5vcmc" + (RANDOM * 2)[:60],
    "huggingface-token": "hf_" + "abcdefghijklmnopqrstuvwxyzABCDEFGH",
    "anthropic-key": "sk-ant-" + "api03-" + (RANDOM * 3)[:93],
    "openai-key": "sk-" + RANDOM[:20] + "T3Blbk" + "FJ" + RANDOM[:20],
    "stripe-key": "sk_" + "live_" + RANDOM[:24],
    "vault-token": "hvs." + (RANDOM * 3)[:95],
    "password-in-url": "https://builder:" + RANDOM[:16] + "@mirror.example.org/cache",
}
NAMES = {
    "shell-history": "home/user/.bash_history",
    "ssh-key-file": "root/.ssh/id_ed25519",
    "gpg-secret-keys": "home/.gnupg/private-keys-v1.d/AB.key",
    "cloud-credentials": "home/.aws/credentials",
    "saved-login": "home/.netrc",
    "cluster-key": "etc/munge/munge.key",
    "key-store": "certificates/server.p12",
    "licence-file": "software/tool/license.lic",
}


def scan(folder, rules=RULES):
    settings = json.dumps({"path": str(folder), "rules": rules})
    done = subprocess.run([sys.executable, str(ROLE / "files/scan.py")], input=settings, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    """A volume with a file for each rule, and with much that looks like one of them and is none."""
    folder = tmp_path_factory.mktemp("volume")
    files = {f"content/{rule}": f"first\nsecond {text}\n" for rule, text in CONTENTS.items()} | dict.fromkeys(NAMES.values(), "something")
    files |= {
        "harmless/examples": "AKIAIOSFODNN7" + "EXAMPLE https://user:password@example.org/ git@github.com:spack/spack.git ghp_short",
        "harmless/library": "-----BEGIN RSA PRIVATE KEY-----\0-----END RSA PRIVATE KEY-----\0-----BEGIN CERTIFICATE-----",
        "harmless/.bash_history": "",
        "harmless/.ssh/id_ed25519.pub": "ssh-ed25519 AAAA",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "link").symlink_to("/etc")
    return folder


def test_every_rule_finds_its_secret_and_nothing_else_is_found(volume):
    found = scan(volume)
    expected = {(rule, f"content/{rule}", 2) for rule in CONTENTS} | {(rule, name, None) for rule, name in NAMES.items()}
    assert {(one["rule"], one["path"], one.get("line")) for one in found["findings"]} == expected
    assert {rule["id"] for rule in RULES} == {*CONTENTS, *NAMES}


def test_the_findings_hold_no_secret(volume):
    text = json.dumps(scan(volume))
    assert RANDOM[:16] not in text and "Q3EGR7TW5NXZ2LKD" not in text


def test_a_secret_across_two_blocks_is_found_once_with_its_line(tmp_path):
    block = 8 * 1024 * 1024
    (tmp_path / "large").write_text("x" * (block - 102) + "\n" + PRIVATE_KEY + "y\n" * 50000 + PRIVATE_KEY)
    found = scan(tmp_path)["findings"]
    assert [(one["rule"], one["line"]) for one in found] == [("private-key", 2), ("private-key", 50000 + 2 + PRIVATE_KEY.count("\n"))]
    assert found[0]["secret"] == found[1]["secret"]


def test_a_file_that_vanishes_or_cannot_be_read_is_named(tmp_path):
    program = (ROLE / "files/scan.py").read_text().replace('open(path, "rb")', 'open(path + ".gone", "rb")')
    (tmp_path / "file").write_text("text")
    settings = json.dumps({"path": str(tmp_path), "rules": RULES})
    done = subprocess.run([sys.executable, "-c", program], input=settings, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["unreadable"] == ["file"]
