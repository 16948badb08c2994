"""Whatever a module's documentation offers can be said in a task: each option, each alias, and each suboption of a list."""

import importlib
import pathlib

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from plugins.module_utils._aws import snapshot_items, volume_items
from plugins.module_utils._aws.fleet import options_of
from plugins.modules import ebs_snapshot, ebs_volume

FOLDER = pathlib.Path(ebs_volume.__file__).parent
SAMPLES = {"str": "sample", "path": "/sample", "int": 5, "float": 0.5, "bool": True, "dict": {"key": "value"}, "raw": "sample"}
# What a module makes of its options, where it reads them itself rather than by name.
READERS = {
    "ebs_volume": (volume_items.item_from, ebs_volume.VOLUME_OPTIONS, "volumes"),
    "ebs_snapshot": (snapshot_items.item_from, ebs_snapshot.SNAPSHOT_OPTIONS, "snapshots"),
}
PARTICULAR = {"size": "10Gi", "fingerprint": "sha256:" + "0f3a" * 16}


def modules():
    """Return name, argument spec (with amazon.aws's own options) and documented options of each module that has options."""
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        module = importlib.import_module(f"plugins.modules.{path.stem}")
        if hasattr(module, "ARGUMENT_SPEC") and path.stem != "__init__":
            spec = {**aws_argument_spec(), **module.ARGUMENT_SPEC}
            found.append((path.stem, spec, yaml.safe_load(module.DOCUMENTATION)["options"]))
    return found


def sample(option, name=None):
    """Return a value that an option of the argument spec takes."""
    if name in PARTICULAR:
        return PARTICULAR[name]
    kind = option.get("type", "str")
    if kind == "list":
        return [sample({**option, "type": option.get("elements", "str")})]
    if kind == "dict" and option.get("options"):
        return {name: sample(inner, name) for name, inner in option["options"].items()}
    return next(iter(option["choices"])) if option.get("choices") else SAMPLES[kind]


def spellings(spec, documented, path=()):
    """Yield each documented way to say an option: the path of names to it, as written and as the module calls it."""
    for name, described in documented.items():
        for spelling in (name, *described.get("aliases", ())):
            yield (*path, spelling), (*path, name)
        if described.get("suboptions"):
            yield from spellings(spec[name]["options"], described["suboptions"], (*path, name))


def task(spec, path, written):
    """Return a task's options with the one at `path` given, spelled as `written`, and beside it only what must be there."""
    name, *rest = path
    option = spec[name]
    known = {"name"} if "snapshot_id" in spec else set()
    required = {other: sample(inner, other) for other, inner in spec.items() if (inner.get("required") or other in known) and other != name}
    value = sample(option, name)
    if rest:
        inner = task(option["options"], rest, written[1:])
        value = [inner] if option["type"] == "list" else inner
    return {**required, written[0]: value}


CASES = [
    pytest.param(name, spec, written, path, id=f"{name}-{'.'.join(written)}")
    for name, spec, documented in modules()
    for written, path in spellings(spec, documented)
]


@pytest.mark.parametrize(("name", "spec", "written", "path"), CASES)
def test_each_documented_option_and_alias_can_be_said(name, spec, written, path):
    def read(spelled):
        checked = ArgumentSpecValidator(spec).validate(task(spec, path, spelled))
        assert checked.error_messages == []
        return checked.validated_parameters

    as_written, as_named = read(written), read(path)
    assert as_named[path[0]] is not None
    assert as_written[path[0]] is not None
    if name in READERS:
        item_from, options, listed = READERS[name]
        items, named = ([item_from(one) for one in options_of(params, options, listed)] for params in (as_written, as_named))
        assert [item.request for item in items] == [item.request for item in named]
        assert [str(item.error) for item in items] == [str(item.error) for item in named]
        # A list with all options at once says too much of a snapshot, and same_volume alone too little, which the module explains.
        assert path == ("snapshots",) or path[-1] == "same_volume" or all(item.request for item in items), items[0].error


@pytest.mark.parametrize(("name", "spec", "documented"), modules(), ids=[name for name, _spec, _documented in modules()])
def test_aliases_are_documented_and_documented_ones_exist(name, spec, documented):
    def compare(options, described):
        assert set(described) <= set(options)
        for option, words in described.items():
            # amazon.aws knows one more way to say region than its own documentation tells.
            unsaid = {"ec2_region"} if option == "region" else set()
            assert set(options[option].get("aliases") or ()) - unsaid == set(words.get("aliases", [])), option
            if words.get("suboptions"):
                compare(options[option]["options"], words["suboptions"])

    compare(spec, documented)
