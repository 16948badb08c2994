"""python -m tests.judge.template CONFIG.yaml [OUT.yaml]

Writes the CloudFormation template that aws-parallelcluster uploads when it creates a cluster from CONFIG.yaml, in the form in which it
uploads it; texts of more than LONGEST characters, which are programs of its own, are left out.

    .venv-pcluster/bin/python -m tests.judge.template tests/data/clusters/starter.yaml tests/data/stacks/starter.yaml

makes anew what the lab's stand-in for `pcluster` starts from. Needs node on the PATH.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any
from unittest import mock

from tests.judge.judge import check, judge

LONGEST = 1000
HEADER = """\
# The template of a cluster made from tests/data/clusters/{config} by aws-parallelcluster {version}, long texts left out.
# Written by tests/judge/template.py; tests/judge/test_template.py compares it with what the package makes.
"""


def template_of(config: str) -> str:
    """Return the template's text, as the package's own code writes it."""
    from pcluster.models.s3_bucket import S3FileFormat, format_content
    from pcluster.templates.cdk_builder import CDKTemplateBuilder

    made = []
    build = CDKTemplateBuilder.build_cluster_template

    def keep(*arguments: Any, **named: Any) -> Any:
        made.append(build(*arguments, **named))
        return made[-1]

    with mock.patch.object(CDKTemplateBuilder, "build_cluster_template", staticmethod(keep)):
        (file,) = judge([config], "synth")
    if not file.ok:
        raise SystemExit("\n".join(f"{one.validator}: {one.message}" for one in file.findings if one.level == "ERROR"))
    ((body, _assets),) = made
    return format_content(shortened(body), S3FileFormat.YAML)


def shortened(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: shortened(value) for key, value in node.items()}
    if isinstance(node, list):
        return [shortened(value) for value in node]
    return "(left out)" if isinstance(node, str) and len(node) > LONGEST else node


def main() -> None:
    config, *out = sys.argv[1:]
    text = template_of(config)
    if out:
        header = HEADER.format(config=pathlib.Path(config).name, version=check.installed_version())
        pathlib.Path(out[0]).write_text(header + text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
