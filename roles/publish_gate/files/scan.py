# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Search every file below a directory for secrets.

usage: python3 scan.py < SETTINGS   prints {"findings": […], "unreadable": […], "files": number, "bytes": number} as JSON

SETTINGS is {"path": directory, "rules": […]}. A rule has an id, and what gitleaks gives a rule: `path`, a pattern for the name of a file;
`regex`, a pattern for its content, whose first group is the secret; `keywords`, of which the content must hold one, in lower case;
`entropy`, the least bits per character of the secret; `not`, a pattern for a secret that is none; `longest`, how many bytes from the
keyword a match may reach, 512 when left out. A finding names rule, file and line;
`secret` is the beginning of the secret's SHA-256, so that the report gives nothing away.
Stays on one file system and follows no link. Runs on the Python of the build host: 3.6 or newer, standard library only.
"""

import hashlib
import json
import math
import multiprocessing
import os
import re
import stat
import sys

BLOCK_BYTES = 8 * 1024 * 1024
# A secret that spans two blocks is found whole in the second one. A private key has 16 KiB at most.
OVERLAP_BYTES = 64 * 1024
LONGEST = 512
# A file full of examples would fill the report.
MOST_FINDINGS_PER_FILE = 20


class Rule:
    def __init__(self, description):
        self.id = description["id"]
        self.path = re.compile(description["path"]) if description.get("path") else None
        self.regex = re.compile(description["regex"].encode()) if description.get("regex") else None
        self.keywords = [word.encode() for word in description.get("keywords", [])]
        self.entropy = description.get("entropy", 0)
        self.no_secret = re.compile(description["not"].encode()) if description.get("not") else None
        self.longest = description.get("longest", LONGEST)

    def secrets_in(self, block, lowered):
        """Yield the position and the text of each secret in a block of a file."""
        for start, end in self.windows(lowered):
            for match in self.regex.finditer(block, start, end):
                secret = match.group(1 if self.regex.groups else 0)
                if entropy(secret) >= self.entropy and not (self.no_secret and self.no_secret.search(secret)):
                    yield match.start(), secret

    def windows(self, lowered):
        """Yield the parts of a block that lie around its keywords: looking for these is a hundred times faster than a pattern."""
        if not self.keywords:
            yield 0, len(lowered)
            return
        start = end = None
        for position in sorted(found for word in self.keywords for found in positions(word, lowered)):
            if end is not None and position - self.longest > end:
                yield start, end
                start = None
            start = max(0, position - self.longest) if start is None else start
            end = position + self.longest
        if end is not None:
            yield start, end


def positions(word, text):
    found = text.find(word)
    while found != -1:
        yield found
        found = text.find(word, found + 1)


def entropy(text):
    """Return Shannon's entropy in bits per character."""
    shares = [text.count(character) / len(text) for character in set(text)]
    return -sum(share * math.log2(share) for share in shares)


def files_below(directory):
    """Yield the path of each regular file on the directory's own file system."""
    device = os.stat(directory).st_dev
    for folder, subfolders, names in os.walk(directory):
        subfolders[:] = sorted(name for name in subfolders if os.lstat(os.path.join(folder, name)).st_dev == device)
        for name in sorted(names):
            path = os.path.join(folder, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                yield path


def scan_file(path):
    """Return (bytes read, findings, whether the file could not be read)."""
    root, rules = SETTINGS["path"], SETTINGS["compiled"]
    name = os.path.relpath(path, root)
    try:
        with open(path, "rb") as content:
            size = os.fstat(content.fileno()).st_size
            by_name = [
                {"rule": rule.id, "path": name} for rule in rules if rule.path and not rule.regex and size and rule.path.search(name)
            ]
            by_content = list(secrets_of(content, [rule for rule in rules if rule.regex and (not rule.path or rule.path.search(name))]))
    except OSError:
        return 0, [], name
    findings = [{"rule": rule_id, "path": name, "line": line, "secret": digest} for rule_id, line, digest in by_content]
    return size, (by_name + findings)[:MOST_FINDINGS_PER_FILE], None


def secrets_of(content, rules):
    """Yield (rule, line, digest) of each secret in an open file, once."""
    seen, start, line, tail = set(), 0, 1, b""
    while True:
        fresh = content.read(BLOCK_BYTES)
        if not fresh:
            return
        block = tail + fresh
        lowered = block.lower()
        for rule in rules:
            for position, secret in rule.secrets_in(block, lowered):
                if (rule.id, start + position) not in seen:
                    seen.add((rule.id, start + position))
                    yield rule.id, line + block.count(b"\n", 0, position), hashlib.sha256(secret).hexdigest()[:16]
        kept = min(len(block), OVERLAP_BYTES)
        line += block.count(b"\n", 0, len(block) - kept)
        start += len(block) - kept
        tail = block[len(block) - kept :]


SETTINGS = {}


def main():
    SETTINGS.update(json.load(sys.stdin))
    SETTINGS["compiled"] = [Rule(rule) for rule in SETTINGS["rules"]]
    findings, unreadable, files, size = [], [], 0, 0
    # Children by fork: they have the settings already.
    with multiprocessing.get_context("fork").Pool() as pool:
        for read, found, failed in pool.imap(scan_file, files_below(SETTINGS["path"]), chunksize=64):
            findings += found
            unreadable += [failed] if failed else []
            files, size = files + 1, size + read
    json.dump({"findings": findings, "unreadable": unreadable, "files": files, "bytes": size}, sys.stdout, sort_keys=True)


if __name__ == "__main__":
    main()
