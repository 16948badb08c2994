# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action petal.hpc.build_bundle: sends a build's playbook and all that it needs to the build host."""

from __future__ import annotations

import io
import json
import pathlib
import shlex
import tarfile
import tempfile

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.collection_loader._collection_finder import _get_collection_path

from ..module_utils._core.build.bundle import BUNDLED_COLLECTIONS, BUNDLED_FOLDERS, BUNDLED_ROLES, bundle_files
from ..module_utils._core.playbook.variables import detached_variables
from ..plugin_utils.controller_files import load_yaml, playbook_variables

ARGUMENTS = {
    "dest": {"type": "path", "required": True},
    "variables": {"type": "dict", "default": {}},
    "environment": {"type": "dict", "default": {}},
    "files": {"type": "dict", "default": {}},
}
SECRET = 0o600


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _spec, options = self.validate_argument_spec(ARGUMENTS)
        found = self._variables_of_the_run(task_vars or {})
        variables, sources = bundle_files({**found, **options["variables"]}, options["dest"])
        with tempfile.NamedTemporaryFile(suffix=".tar.gz") as archive:
            with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=1) as bundle:
                for name in BUNDLED_COLLECTIONS:
                    _add_collection(bundle, name)
                for source, inside in {**sources, **{path: name for name, path in options["files"].items()}}.items():
                    bundle.add(pathlib.Path(source).expanduser(), inside, filter=_without_caches)
                _add_text(bundle, "variables.json", json.dumps(variables, indent=1, default=str))
                _add_text(bundle, "environment", "".join(f"{key}={_quoted(value)}\n" for key, value in options["environment"].items()))
            archive.flush()
            self._unpack(archive.name, options["dest"])
        return {**result, "changed": True, "dest": options["dest"], "variables": sorted(variables)}

    def _variables_of_the_run(self, task_vars):
        """Return what the user has set, of the variables that the playbook and its roles know."""
        localhost = task_vars["hostvars"]["localhost"]
        names = {*detached_variables(playbook_variables()), *(option for role in BUNDLED_ROLES for option in _options(role))}
        return {name: self._templar.template(localhost[name]) for name in sorted(names) if name in localhost}

    def _unpack(self, archive, dest):
        temporary = self._make_tmp_path()
        sent = self._transfer_file(archive, self._connection._shell.join_path(temporary, "bundle.tar.gz"))
        folder = shlex.quote(dest)
        # The archive may hold secrets of the user's variables: only root reads it.
        answer = self._low_level_execute_command(f"install -d -m 0700 {folder} && tar -xzf {shlex.quote(sent)} -C {folder} --no-same-owner")
        self._remove_tmp_path(temporary)
        if answer["rc"]:
            raise AnsibleError(f"The build host cannot unpack what it needs in {dest}: {answer['stderr'] or answer['stdout']}")


def _options(role):
    return load_yaml(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def _add_collection(bundle, name):
    source = pathlib.Path(_get_collection_path(name))
    for folder in BUNDLED_FOLDERS:
        if (source / folder).exists():
            bundle.add(source / folder, f"collections/ansible_collections/{name.replace('.', '/')}/{folder}", filter=_without_caches)


def _without_caches(entry):
    """Leave out compiled modules, and links such as the one with which a checkout finds itself."""
    return None if entry.issym() or pathlib.PurePath(entry.name).name == "__pycache__" else entry


def _add_text(bundle, name, text):
    entry = tarfile.TarInfo(name)
    content = text.encode()
    entry.size, entry.mode = len(content), SECRET
    bundle.addfile(entry, io.BytesIO(content))


def _quoted(value):
    """Return a value as systemd reads it from an EnvironmentFile, and a shell too."""
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
