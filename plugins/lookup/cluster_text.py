# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lookup petal.hpc.cluster_text."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_text
short_description: A ParallelCluster configuration, laid out by templates
description:
  - Renders C(cluster.yaml.j2) and the sections that it includes.
  - A section is searched in the folders in the order given, so that one section can be replaced and the others kept.
options:
  _terms:
    description: Folders with templates; the first one that has a section wins.
    type: list
    elements: path
    required: true
  model:
    description: The templates' variables, the C(model) that P(petal.hpc.cluster_plan#filter) returns.
    type: dict
    required: true
  overrides:
    description:
      - ParallelCluster settings that are merged into the rendered configuration at the end.
      - Mappings are merged key by key, lists of items with C(Name) or C(Key) by that name, and everything else is replaced.
      - V(null) removes a key.
    type: dict
    default: {}
author: petal.hpc contributors (@petal-hpc)
"""

EXAMPLES = r"""
- name: Show the configuration that a seed gives
  vars:
    plan: "{{ lookup('petal.hpc.seed', 'bioinformatics.yaml') | petal.hpc.cluster_plan(options) }}"
    options:
      subnet_id: subnet-0123456789abcdef0
      snapshot_id: snap-0123456789abcdef0
      snapshot_size_gib: 200
  ansible.builtin.debug:
    msg: "{{ lookup('petal.hpc.cluster_text', 'templates/cluster', model=plan.model) }}"
"""

RETURN = r"""
_list:
  description: One text, the configuration in YAML.
  type: list
  elements: str
"""

import functools
import json
import os

import jinja2
import yaml
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils._core.cluster.overrides import merge_overrides
from ..module_utils._core.plain import plain

# Ten times as fast, where PyYAML has been built with it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def render_cluster(folders, model, overrides=None):
    """Return the configuration as YAML text; `folders` as in the lookup, all values plain.

    Raises a jinja2.TemplateError for a template that cannot be rendered, and a yaml.YAMLError where the result is no YAML.
    """
    text = environment_of(tuple(map(listed, folders))).get_template("cluster.yaml.j2").render(model)
    text = "".join(line for line in text.splitlines(keepends=True) if line.strip())
    config = yaml.load(text, Loader=LOADER)
    if not overrides:
        return text
    heading = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    return heading + to_nice_yaml(merge_overrides(config, overrides)) + "\n"


def listed(folder):
    """Return (folder, names of its files): a file that is added may take the place of one in a later folder."""
    return folder, tuple(sorted(os.listdir(folder))) if os.path.isdir(folder) else ()


@functools.lru_cache(maxsize=8)
def environment_of(listed_folders):
    """Return the templates' environment; it is kept, since compiling them takes longer than filling them in."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder for folder, _names in listed_folders]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(to_json=to_json, to_nice_yaml=to_nice_yaml, inset=inset)
    return environment


def to_json(value):
    """Quote a value for YAML; every JSON value is one."""
    return json.dumps(value, ensure_ascii=False)


def to_nice_yaml(value):
    """Write a structure as a YAML block, in its own order and without a newline at its end."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=140).rstrip("\n")


def inset(text, spaces):
    """Shift every line to the right; unlike Jinja's indent, make nothing of nothing."""
    return "".join(" " * spaces + line for line in text.splitlines(keepends=True))


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        folders = [str(folder) for folder in terms if folder]
        try:
            return [render_cluster(folders, plain(self.get_option("model")), plain(self.get_option("overrides")))]
        except jinja2.TemplateNotFound as error:
            raise AnsibleLookupError(f"No template {error.name} in {', '.join(folders)}. Copy it from templates/cluster.") from error
        except jinja2.TemplateError as error:
            where = f"{getattr(error, 'filename', None) or 'cluster.yaml.j2'}:{getattr(error, 'lineno', '?')}"
            raise AnsibleLookupError(f"Cannot render the cluster's template {where}: {error}") from error
        except yaml.YAMLError as error:
            raise AnsibleLookupError(f"The templates in {', '.join(folders)} did not give valid YAML: {error}") from error
