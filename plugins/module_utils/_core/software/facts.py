# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One value for what is built: everything that is known of it, and one table from which all its spellings come.

A build writes it as tags, a registry keeps it in an entry, modules take it as options, a deployment reads it back. Each of these forms is
worked out from FIELDS, so none can lack what another one has.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from .. import tags
from ..facts.operating_system import known_os
from ..plain import is_empty, without_empty
from .fingerprint import fingerprint, fingerprint_inputs
from .module_tree import MODULES

# What a proof says that found nothing wrong.
PASSED = "passed"
# A resource has 50 tags at most, and a list of packages is to leave room for others. Some 100 fit; a longer list is left out.
MOST_PARTS = 4
# No list of packages is as large; whoever may set tags could write one that fills the memory.
LARGEST = 64 * 1024
COMPRESSED = "zlib:"


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of Software in all its spellings.

    name: of the field, of its key in a registry and of its option in modules. tag: without prefix. words: what it is, for people.
    variant: its key in a variant, as the filter seed_variants returns it; None for what only a build can tell.
    kind: "text", "int", "float", "list" of texts, or "dict".
    """

    name: str
    tag: str
    words: str
    variant: str | None = None
    kind: str = "text"


FIELDS = (
    Field("fingerprint", tags.FINGERPRINT, "the name of all that determines the build", "fingerprint"),
    Field("os", tags.OS, "the operating system that it is for", "os"),
    Field("architecture", tags.ARCH, "the architecture", "arch"),
    Field("target", tags.TARGET, "the CPU that all code is compiled for", "target"),
    Field("spack", tags.SPACK, "the version of Spack", "spack_version"),
    Field("recipes", tags.RECIPES, "the version of the recipes", "recipes_version"),
    Field("compiler", tags.COMPILER, "the compiler; none is that of the operating system", "compiler"),
    Field("mount_path", tags.MOUNT_PATH, "where it has to be mounted", "mount_path"),
    Field("externals", tags.EXTERNALS, "what is used of the nodes' image, name to version", "externals", "dict"),
    Field("image", tags.IMAGE, "the image that this is of", "image_id"),
    Field("modules", tags.MODULES, "how modules are laid out, where not as by default", "modules", "dict"),
    Field("build_options", tags.OPTIONS, "options of the role spack_bootstrap that decide the build", "options", "dict"),
    Field("specs", tags.PACKAGES, "the packages as users asked for them", "specs", "list"),
    Field("roots", tags.ROOTS, "the packages as they were built for that", kind="list"),
    Field("package_count", tags.PACKAGE_COUNT, "the number of packages with all that they need", kind="int"),
    Field("lock", tags.LOCK, "the fingerprint of what was really built"),
    Field("spack_lock", tags.SPACK_LOCK, "the hash of spack.lock"),
    Field("manifest", tags.MANIFEST, "the root of the hashes of all files"),
    Field("sbom", tags.SBOM, "the hash of the bill of materials"),
    Field("proof", tags.PROOF, "whether every package was loaded and run in a clean room"),
    Field("seconds", tags.BUILD_SECONDS, "how long the build took, in seconds", kind="float"),
    Field("parent", tags.PARENT, "the fingerprint of what the build started from"),
    Field("parent_snapshot", tags.PARENT_SNAPSHOT, "the snapshot that the build started from"),
    Field("generation", tags.BUILD_GENERATION, "how many builds lie between it and one that started from nothing", kind="int"),
)
NAMES = tuple(field.name for field in FIELDS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Software:
    """What is built, as far as the one who says so knows it; FIELDS says what each field is. None and an empty value: not told.

    specs, roots: sorted. externals, modules, build_options: as fingerprint_inputs has them, left empty where they are as by default.
    """

    fingerprint: str | None = None
    os: str | None = None
    architecture: str | None = None
    target: str | None = None
    spack: str | None = None
    recipes: str | None = None
    compiler: str | None = None
    mount_path: str | None = None
    externals: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    image: str | None = None
    modules: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    build_options: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    specs: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    package_count: int | None = None
    lock: str | None = None
    spack_lock: str | None = None
    manifest: str | None = None
    sbom: str | None = None
    proof: str | None = None
    seconds: float | None = None
    parent: str | None = None
    parent_snapshot: str | None = None
    generation: int | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """Every field by its name, told or not; of a value that is a Software and more, only what is of the software."""
        return {name: getattr(self, name) for name in NAMES}

    @property
    def said(self) -> dict[str, Any]:
        """What is told, by the names of the fields, in types that JSON has."""
        return {name: _as_json(value) for name, value in without_empty(self.facts).items()}


def software_from(said: Mapping[str, Any]) -> Software:
    """Return the value for what a registry's file, a module's options or a result say; other keys do not count.

    Raises ValueError for a number that is none.
    """
    return Software(**{field.name: _of_kind(field, said.get(field.name)) for field in FIELDS} | _externals(said.get("externals")))


def of_variant(variant: Mapping[str, Any], outcome: Mapping[str, Any] | None = None, parent: Mapping[str, Any] | None = None) -> Software:
    """Return the software that a variant is, or is to become.

    variant: what the filter seed_variants returns. outcome: what its build has told, by the names of the fields.
    parent: what it started from, one of what rank_parents returns.
    """
    known = {field.name: variant.get(field.variant) for field in FIELDS if field.variant}
    if known["modules"] and {**MODULES, **known["modules"]} == MODULES:
        known["modules"] = None
    parent = parent or {}
    lineage = {"parent": parent.get("fingerprint"), "parent_snapshot": parent.get("snapshot_id"), "generation": parent.get("generation")}
    return software_from({**known, **lineage, **(outcome or {})})


def software_tags(one: Software) -> dict[str, str]:
    """Return what is told as tags: names without prefix, and values. What is too long for a tag has several, or none: MOST_PARTS."""
    found: dict[str, str] = {}
    for field in FIELDS:
        if not is_empty(value := getattr(one, field.name)):
            found |= _parts(field.tag, _text(field, value))
    return found


def tagged_software(found: dict[str, str]) -> Software:
    """Return what the tags of a resource say was built on it."""
    said = {field.name: _parsed(field, text) for field in FIELDS if (text := _joined(found, field.tag))}
    return software_from({**said, "os": known_os(said.get("os"))})


def recomputed_fingerprint(one: Software) -> str | None:
    """Return the fingerprint that the inputs come to; None where not all of them are told."""
    if not (one.os and one.architecture and one.target and one.spack and one.recipes and one.mount_path and one.specs):
        return None
    inputs = fingerprint_inputs(
        os=one.os,
        arch=one.architecture,
        target=one.target,
        spack_version=one.spack,
        recipes_version=one.recipes,
        specs=one.specs,
        compiler=one.compiler,
        mount_path=one.mount_path,
        externals=dict(one.externals),
        image_id=one.image,
        modules=dict(one.modules),
        options=dict(one.build_options),
    )
    return fingerprint(inputs)


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value


_KINDS: dict[str, Callable[[Any], Any]] = {
    "text": str,
    "int": int,
    "float": float,
    "list": lambda value: tuple(sorted({str(text) for text in value})),
    "dict": dict,
}
_EMPTY = {"list": (), "dict": {}}


def _of_kind(field: Field, value: Any) -> Any:
    told = not is_empty(value) and (field.kind != "dict" or isinstance(value, Mapping))
    return _KINDS[field.kind](value) if told else _EMPTY.get(field.kind)


def _externals(said: Any) -> dict[str, Any]:
    """Return externals, and the image, from the text that registries had before there were two fields: "cuda@12.4 efa@2 of ami-…"."""
    if not isinstance(said, str):
        return {}
    versions, _of, image = said.partition(" of ")
    found = dict(one.split("@", 1) for one in versions.split() if "@" in one)
    return {"externals": found, **({"image": image} if image else {})}


def _text(field: Field, value: Any) -> str:
    return json.dumps(_as_json(value), sort_keys=True, separators=(",", ":")) if field.kind in ("list", "dict") else str(value)


def _parsed(field: Field, text: str) -> Any:
    """Return a tag's value; one that nobody can read says nothing, as whoever may set tags may write anything."""
    try:
        if field.kind in ("list", "dict") and text[:1] in "[{":
            return json.loads(text)
        return None if field.kind == "list" else text if field.kind == "dict" else _KINDS[field.kind](text)
    except ValueError:
        return None


def _parts(name: str, text: str) -> dict[str, str]:
    """Return a text as one tag, or packed into several whose names count: packages, packages-2, packages-3."""
    if len(text) > tags.MAX_VALUE:
        text = COMPRESSED + base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    parts = [text[start : start + tags.MAX_VALUE] for start in range(0, len(text), tags.MAX_VALUE)]
    names = [name, *(f"{name}-{number}" for number in range(2, len(parts) + 1))]
    return dict(zip(names, parts, strict=True)) if len(parts) <= MOST_PARTS else {}


def _joined(found: dict[str, str], name: str) -> str:
    text, number = tags.read(found, name) or "", 2
    while text and (part := tags.read(found, f"{name}-{number}")):
        text, number = text + part, number + 1
    if not text.startswith(COMPRESSED):
        return text
    try:
        unpacked = zlib.decompressobj()
        return unpacked.decompress(base64.b64decode(text.removeprefix(COMPRESSED), validate=True), LARGEST).decode()
    except (ValueError, zlib.error):
        return ""
