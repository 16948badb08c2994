"""Check ParallelCluster configurations with the aws-parallelcluster package of the Python that runs this file.

validate_cluster_config.py [--level LEVEL] [--cluster-name NAME] CONFIG.yaml [CONFIG.yaml ...]

Levels, each with those before it:
  schema      keys, types, ranges; no call to AWS
  validators  every rule of ParallelCluster, asking the AWS account that the environment names
  dryrun      what the command `pcluster create-cluster --dryrun true` runs, in this process; needs node on the PATH
  synth       the CloudFormation template that the command would send, which takes some ten seconds a file

Prints one JSON object: {"level", "parallelcluster": version, "files": [{"file", "ok", "findings": [{"level", "validator", "message"}]}]}.
Exit status: 0 every file is accepted, 1 some file has a finding of level ERROR, 2 the check itself could not be made.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import logging
import os
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any

LEVELS = ("schema", "validators", "dryrun", "synth")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that ParallelCluster says of a file; level is ERROR, WARNING or INFO."""

    level: str
    validator: str
    message: str


@dataclasses.dataclass
class Checked:
    """A file on its way through the levels."""

    file: str
    name: str
    config: dict[str, Any] | None = None
    loaded: Any = None  # what ParallelCluster's schema has made of config
    findings: list[Finding] = dataclasses.field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not any(finding.level == "ERROR" for finding in self.findings)

    @property
    def region(self) -> str:
        return (self.config or {}).get("Region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""

    def refuse(self, validator: str, message: object) -> None:
        self.findings.append(Finding("ERROR", validator, " ".join(str(message).split())))

    def to_dict(self) -> dict[str, Any]:
        return {"file": self.file, "ok": self.ok, "findings": [dataclasses.asdict(finding) for finding in self.findings]}


def read(file: str, cluster_name: str | None = None) -> Checked:
    """Read a configuration; what is no YAML mapping has an ERROR at once."""
    import yaml

    checked = Checked(file, cluster_name or re.sub(r"[^a-zA-Z0-9-]", "-", pathlib.Path(file).stem)[:60])
    try:
        config = yaml.load(pathlib.Path(file).read_text(encoding="utf-8"), Loader=fast_loader())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        checked.refuse("file", error)
        return checked
    if isinstance(config, dict):
        checked.config = config
    else:
        checked.refuse("file", "The file holds no YAML mapping.")
    return checked


def fast_loader() -> Any:
    """Return the safe reader of YAML that is ten times as fast, where PyYAML has been built with it."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check(files: list[Checked], level: str) -> None:
    """Take files through the levels up to `level`; a file stops at the first level that refuses it."""
    prepare()
    # ParallelCluster forgets what AWS has answered whenever the region changes.
    for file in sorted(files, key=lambda file: file.region):
        for step in STEPS[level]:
            if not file.ok:
                break
            os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"] = file.region
            step(file)
        file.loaded = None  # large, and of no use any more


def prepare() -> None:
    """Make ParallelCluster fast and quiet enough for many files in one process.

    It builds a boto3 session for each question and an IAM client for each policy; the same answers come from one of each in a fifth of
    the time. The command reads a large description of itself each time. The list of regions is taken from the package, where
    ParallelCluster first asks a public address.
    """
    import boto3
    import yaml
    from pcluster import utils
    from pcluster.aws.aws_api import AWSApi
    from pcluster.cli import model
    from pcluster.validators import iam_validators

    logging.disable(logging.CRITICAL)
    shared, new_session = boto3.session.Session(), boto3.session.Session
    boto3.session.Session = lambda *args, **kwargs: new_session(*args, **kwargs) if args or kwargs else shared
    iam_validators.IamClient = lambda: AWSApi.instance().iam
    packaged = pathlib.Path(utils.__file__).parent / "resources" / "supported-regions"
    # ParallelCluster reads each file several times, and makes its reader refuse a key that is written twice.
    yaml.SafeLoader = utils.SafeLoader = fast_loader()
    model.package_spec = functools.lru_cache(maxsize=1)(model.package_spec)
    utils.retrieve_supported_regions.cache = packaged.read_text(encoding="utf-8").split()


def check_region(file: Checked) -> None:
    from pcluster import utils

    if file.region not in utils.retrieve_supported_regions():
        file.refuse("RegionValidator", f"Region {file.region!r} is not supported by ParallelCluster.")


def check_schema(file: Checked) -> None:
    from marshmallow import ValidationError
    from pcluster.schemas.cluster_schema import ClusterSchema

    try:
        file.loaded = ClusterSchema(cluster_name=file.name).load(file.config)
    except ValidationError as error:
        for message in flatten(error.messages):
            file.refuse("ConfigSchemaValidator", message)
    except Exception as error:  # a value of a type that a hook of the schema does not expect
        file.refuse("ConfigSchemaValidator", f"{type(error).__name__}: {error}")


def flatten(messages: Any, path: str = "") -> Iterator[str]:
    """Yield the schema library's nested messages as "Path.To.Key: text"."""
    if isinstance(messages, dict):
        for key, value in messages.items():
            yield from flatten(value, path if key == "_schema" else f"{path}.{key}".lstrip("."))
    elif isinstance(messages, list):
        for message in messages:
            yield from flatten(message, path)
    else:
        yield f"{path}: {messages}"


def check_validators(file: Checked) -> None:
    from pcluster.validators.common import ValidatorContext

    try:
        results = file.loaded.validate(context=ValidatorContext())
    except Exception as error:  # ParallelCluster itself reports these as "Invalid cluster configuration"
        file.refuse("ConfigValidation", f"Invalid cluster configuration: {error}")
        return
    file.findings += [Finding(str(result.level), result.validator_type, " ".join(result.message.split())) for result in results]


def check_dryrun(file: Checked) -> None:
    """Run the command's own entry point; it reports a good configuration as an error too, so that only its message tells."""
    from pcluster.cli import entrypoint
    from pcluster.cli.exceptions import APIOperationException, ParameterException

    arguments = ["create-cluster", "--dryrun", "true", "--cluster-name", file.name]
    arguments += ["--cluster-configuration", file.file, "--region", file.region]
    try:
        answer = entrypoint.run(arguments, model=command_model())
    except (APIOperationException, ParameterException) as error:
        answer = error.data
    except SystemExit as error:  # arguments that the command line refuses
        answer = {"message": f"The command line refuses {arguments}: {error}"}
    found = answer.get("configurationValidationErrors") or answer.get("validationMessages") or []
    file.findings += [Finding(one.get("level", "ERROR"), one.get("type") or "pcluster", one.get("message", "")) for one in found]
    if file.ok and "DryRun flag is set" not in answer.get("message", ""):
        file.refuse("pcluster", answer.get("message"))


@functools.lru_cache(maxsize=1)
def command_model() -> dict[str, Any]:
    """Return the command's operations, which it otherwise works out each time."""
    from pcluster.cli import model

    return model.load_model(model.package_spec())


def check_synth(file: Checked) -> None:
    """Make the templates of the cluster and of its nested stacks; what would be uploaded to S3 is only looked at."""
    from unittest import mock

    from pcluster.models.s3_bucket import S3Bucket
    from pcluster.templates.cdk_builder import CDKTemplateBuilder

    try:
        config = file.loaded
        bucket = S3Bucket(service_name=file.name, stack_name=file.name, name=config.custom_s3_bucket, artifact_directory="parallelcluster")
        with mock.patch.object(S3Bucket, "upload_cfn_asset"):
            CDKTemplateBuilder().build_cluster_template(cluster_config=config, bucket=bucket, stack_name=file.name)
    except Exception as error:  # whatever the template library does not like
        file.refuse("template", f"{type(error).__name__}: {error}")


# What each level runs. The command itself runs the validators, so that a dry run need not run them before.
STEPS = {
    "schema": (check_region, check_schema),
    "validators": (check_region, check_schema, check_validators),
    "dryrun": (check_region, check_schema, check_dryrun),
    "synth": (check_region, check_schema, check_dryrun, check_synth),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="CONFIG.yaml")
    parser.add_argument("--level", choices=LEVELS, default="schema")
    parser.add_argument("--cluster-name", help="left out, each file's name")
    options = parser.parse_args()
    try:
        version = installed_version()
        files = [read(file, options.cluster_name) for file in options.files]
        check([file for file in files if file.ok], options.level)
    except ImportError as error:
        print(f"{sys.executable} cannot import aws-parallelcluster: {error}", file=sys.stderr)
        return 2
    print(json.dumps({"level": options.level, "parallelcluster": version, "files": [file.to_dict() for file in files]}))
    return 0 if all(file.ok for file in files) else 1


def installed_version() -> str:
    from pcluster.utils import get_installed_version

    return get_installed_version()


if __name__ == "__main__":
    sys.exit(main())
