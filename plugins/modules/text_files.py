#!/usr/bin/python
# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
---
module: text_files
short_description: Write many small text files in one task
version_added: 0.1.0
author: petal.hpc contributors (@petal-hpc)
description:
  - Writes files, with the directories they need, in one connection. A task for each of twenty files takes twenty times as long.
  - Each file is replaced as a whole. A kill in the middle leaves some files old and some new, and none broken; running the task again
    writes the rest.
  - A path that leads through a symbolic link of another user than root is refused, for such a user would choose what is written.
options:
  files:
    description: The files.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      content:
        description: The whole text, UTF-8.
        type: str
        required: true
      mode:
        description: Permissions, in octal digits.
        type: str
        default: "0644"
  directories:
    description: Directories that have to exist though no file is written there. They belong to O(owner) too.
    type: list
    elements: path
    default: []
  purge:
    description: Directories in which every file that O(files) does not name is removed. Python's caches are left alone.
    type: list
    elements: path
    default: []
  owner:
    description: User who owns the files, and directories that are made. Without it, the user who runs the task.
    type: str
  group:
    description: Group of the files, and of directories that are made. Without it, the group of who runs the task.
    type: str
attributes:
  check_mode:
    support: full
    description: Says what would be written.
  diff_mode:
    support: full
    description: Shows the text before and after.
  platform:
    platforms: posix
    support: full
    description: Hosts with Python.
"""

EXAMPLES = r"""
- name: Configure two things at once
  petal.hpc.text_files:
    owner: spack
    group: spack
    files:
      - path: /shared/etc/motd
        content: |
          Welcome.
      - path: /shared/bin/hello
        mode: "0755"
        content: |
          #!/bin/sh
          echo hello
"""

RETURN = r"""
written:
  description: Paths of the files that were written or whose owner or permissions were mended.
  returned: always
  type: list
  elements: str
removed:
  description: Paths of the files that were removed.
  returned: always
  type: list
  elements: str
"""

import grp
import os
import pwd

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC = {
    "files": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "path": {"type": "path", "required": True},
            "content": {"type": "str", "required": True},
            "mode": {"type": "str", "default": "0644"},
        },
    },
    "directories": {"type": "list", "elements": "path", "default": []},
    "purge": {"type": "list", "elements": "path", "default": []},
    "owner": {"type": "str"},
    "group": {"type": "str"},
}


def run(params, check_mode):
    """Write what differs; return what was done, and the diff."""
    uid = pwd.getpwnam(params["owner"]).pw_uid if params["owner"] else os.getuid()
    gid = grp.getgrnam(params["group"]).gr_gid if params["group"] else os.getgid()
    differing = [entry for entry in params["files"] if state_of(entry["path"]) != wanted(entry, uid, gid)]
    surplus = surplus_files(params["purge"], {entry["path"] for entry in params["files"]})
    missing = [path for path in params["directories"] if not os.path.isdir(path)]
    diff = [
        {"before_header": entry["path"], "after_header": entry["path"], "before": text(entry["path"]), "after": entry["content"]}
        for entry in differing
    ]
    if not check_mode:
        for path in missing + [os.path.dirname(entry["path"]) for entry in differing] + [os.path.dirname(path) for path in surplus]:
            refuse_links(path)
        for path in missing:
            make_directory(path, uid, gid)
        for entry in differing:
            make_directory(os.path.dirname(entry["path"]), uid, gid)
            write(entry, uid, gid)
        for path in surplus:
            os.remove(path)
    written = [entry["path"] for entry in differing]
    return {"changed": bool(written or surplus or missing), "written": written, "removed": surplus, "diff": diff}


def wanted(entry, uid, gid):
    return entry["content"], int(entry["mode"], 8), uid, gid


def state_of(path):
    """Return content, permissions, owner and group as `wanted` does; None where there is no file."""
    if not os.path.isfile(path):
        return None
    status = os.stat(path)
    return text(path), status.st_mode & 0o7777, status.st_uid, status.st_gid


def text(path):
    if not os.path.isfile(path):
        return ""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as content:
        return content.read()


def surplus_files(directories, named):
    found = [os.path.join(directory, name) for top in directories for directory, _inner, names in os.walk(top) for name in names]
    return sorted(path for path in found if path not in named and "/__pycache__/" not in path)


def make_directory(path, uid, gid):
    """Make a directory and those above it. Those that exist are left as they are."""
    if os.path.isdir(path):
        return
    make_directory(os.path.dirname(path), uid, gid)
    os.mkdir(path, 0o755)
    os.chmod(path, 0o755)
    os.chown(path, uid, gid)


def refuse_links(path):
    """Refuse to follow whoever can lead root to another file."""
    while path != os.path.dirname(path):
        if os.path.islink(path) and os.lstat(path).st_uid not in (0, os.geteuid()):
            raise OSError(f"{path} is a symbolic link of the user with the number {os.lstat(path).st_uid}. Remove it, or write elsewhere.")
        path = os.path.dirname(path)


def write(entry, uid, gid):
    new = entry["path"] + ".new"
    if os.path.lexists(new):
        os.remove(new)
    # "x": never through a link that has come in between.
    with open(new, "x", encoding="utf-8", newline="") as out:
        out.write(entry["content"])
    os.chmod(new, int(entry["mode"], 8))
    os.chown(new, uid, gid)
    os.replace(new, entry["path"])


def main():
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run(module.params, module.check_mode)
    except (OSError, KeyError) as error:
        module.fail_json(msg=f"Cannot write the files: {error}")
    if not module._diff:
        del result["diff"]
    module.exit_json(**result)


if __name__ == "__main__":
    main()
