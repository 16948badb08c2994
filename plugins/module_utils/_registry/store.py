# Copyright: petal.hpc contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Registries, wherever they lie: read what is there, write so that nobody ever sees half of it and nothing is lost."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import hashlib
import itertools
import json
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .._core.ebs.snapshot import canonical_fingerprint
from .._core.errors import ExplainedError, ManyProblems
from .._core.registry.entries import Entry, check_name
from .._core.registry.files import entry_document, index_document, parse_entry, parse_index, to_text
from .._core.registry.index import Index, index_lines
from .._core.registry.trust import signed_text, without_stale_signatures, without_surety
from .._core.software.fingerprint import short_fingerprint
from .signing import Signer, Verifier

# The registry holds descriptions. What is larger than this is no description but content, or an attack on the reader.
LARGEST_ENTRY = 1024 * 1024
LARGEST_SEED = 256 * 1024
LARGEST_SBOM = 8 * 1024 * 1024
LARGEST_INDEX = 256 * 1024 * 1024
# Where the index lies; the second one is read where petal wrote it.
INDEX_FILES = ("index.json", "snapshots/index.json")
# What lies beside the index.
FOLDERS = ("snapshots", "seeds", "sboms")
SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
# Between two attempts of a writer, in seconds.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 2


class Conflict(Exception):
    """Another writer was faster: what was read is no longer what is there."""


@dataclasses.dataclass(frozen=True)
class Update:
    """What became of an entry. before, after: None where there is no entry; changed: whether anything had to be written."""

    before: Entry | None
    after: Entry | None
    changed: bool


@dataclasses.dataclass(frozen=True)
class Repair:
    """What became of the index: the names that it has now and had not before, and the other way round."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: bool


class Store(abc.ABC):
    """A registry: index.json, snapshots/NAME.json, seeds/NAME.yaml and sboms/NAME-HASH.spdx.json in some kind of storage.

    place: where it lies, as messages say it. notes: sentences about what could not be read, as reading goes on.
    signer: signs what is written; None leaves it unsigned. verifier: says whose signatures on what is read count; None asks nobody.
    committed: the commit that holds what was written, in git.
    A kind of storage reads, writes and deletes texts by their path in the registry; it either keeps other writers out for the time
    of `locked`, or raises Conflict when one of them has been faster. All else is done here, once for all kinds.
    The entry files say what is registered. The index is made from them, so that a search need not open them all; it is never the truth.
    """

    def __init__(self, place: str):
        self.place = place
        self.notes: list[str] = []
        self.signer: Signer | None = None
        self.verifier: Verifier | None = None
        self.committed: str | None = None
        self._index_path: str | None = None
        # What could not be read of a file the last time, by its path: a writer must not write over it.
        self._unread: dict[str, list[str]] = {}

    @abc.abstractmethod
    def _read(self, path: str, largest: int) -> str | None:
        """Return a text, or None where there is none; raises ExplainedError for one with more than `largest` bytes."""

    def _write(self, path: str, text: str, largest: int) -> None:
        """Put a text in its place at once: a reader, or a crash, sees the old one or the new one. Raises Conflict."""
        raise self._read_only()

    def _delete(self, path: str) -> None:
        """Remove a text, where there is one. Raises Conflict."""
        raise self._read_only()

    def locked(self, time_limit: float) -> contextlib.AbstractContextManager[None]:
        """Keep other writers out, where that can be done. The registry is created where there is none. Readers need no lock."""
        raise self._read_only()

    def list_names(self) -> set[str] | None:
        """Return the names of all entry files, whatever the index says; None where the storage cannot list its files."""
        return None

    def version(self) -> str | None:
        """Return a text that differs as soon as an entry or the index has changed; None where only reading all of it tells."""
        return None

    def where(self, path: str) -> str:
        """Return where a text of the registry lies, for people and programs outside of it."""
        return f"{self.place.rstrip('/')}/{path}"

    def read_index(self) -> Index:
        """Return the index; a registry without one is empty. Raises ExplainedError for an unreadable one."""
        self._index_path, self._unread[INDEX_FILES[0]] = None, []
        for path in INDEX_FILES:
            text = self._read(path, LARGEST_INDEX)
            if text is not None:
                self._index_path = path
                index, notes = parse_index(_parsed_json(text, self.where(path)), self.where(path))
                self.notes += notes
                self._unread[INDEX_FILES[0]] = notes
                return index
        return Index()

    def read_entry(self, name: str) -> Entry | None:
        """Return an entry, or None when there is no such file."""
        path = entry_path(name)
        text, place = self._read(path, LARGEST_ENTRY), self.where(path)
        self._unread[path] = []
        if text is None:
            return None
        document = _parsed_json(text, place)
        entry, notes = parse_entry(document, place)
        self.notes += notes
        self._unread[path] = notes
        if entry.name != name:
            raise ExplainedError(
                f"{place} describes {entry.name}, not {name}.", resource=place, next_step="Give the file the name that it contains."
            )
        return dataclasses.replace(entry, signed_by=self._signers(self.verifier, document, entry, place)) if self.verifier else entry

    def _signers(self, verifier: Verifier, document: Any, entry: Entry, place: str) -> tuple[str, ...]:
        text = signed_text(document)
        problems = {signature: verifier.problem(text, signature) for signature in entry.signatures}
        self.notes += [f"{place}: {problem}." for problem in problems.values() if problem]
        return tuple(signature.signer for signature, problem in problems.items() if not problem)

    def read_entry_text(self, name: str) -> str | None:
        """Return an entry as it lies there, whatever it is worth."""
        return self._read(entry_path(name), LARGEST_ENTRY)

    def read_entries(self, names: Iterable[str]) -> Iterator[Entry]:
        """Yield the entries of those names; one that is missing or unreadable becomes a note, so that the others still count."""
        for name in names:
            try:
                entry = self.read_entry(name)
            except ExplainedError as error:
                self.notes.append(str(error))
                continue
            if entry is None:
                self.notes.append(f"{self.place}: the index names {name}, but {name}.json is missing.")
            else:
                yield entry

    def read_seed(self, name: str) -> str | None:
        return self._read(seed_path(name), LARGEST_SEED)

    def read_sbom(self, name: str, digest: str) -> str | None:
        """Return the bill of materials with a hash that an entry names; raises ExplainedError for one that has another hash."""
        path = sbom_path(name, digest)
        text = self._read(path, LARGEST_SBOM)
        if text is not None and digest_of(text) != digest:
            raise ExplainedError(
                f"{self.where(path)} is not what the entry {name} names: its hash is {digest_of(text)}.",
                resource=name,
                next_step="Somebody has changed it; restore it, or read it from the volume.",
            )
        return text

    def update(
        self,
        name: str,
        decide: Callable[[Entry | None], Entry | None],
        seed: str | None = None,
        *,
        sbom: str | None = None,
        vouch: bool = False,
        time_limit: float = 60,
        save: bool = True,
    ) -> Update:
        """Bring one entry to what `decide` says, whatever other writers do at the same time. This is how everything is written.

        decide: gets the entry as it is, or None, and returns it as it has to be: without snapshots to remove it, None to leave things
            alone. It is asked again whenever another writer has been faster, perhaps after its own change: what is as it has to be, it
            leaves alone. It may raise ExplainedError.
        seed, sbom: texts to keep beside the entry; None leaves what is there as it is.
        vouch: whether the signer has checked all that the entry says. Otherwise it signs what it has signed before, and what it enters now.
        time_limit: how many seconds to try. save: whether to write; False is for check mode.
        Raises ExplainedError; what is there then is what was there before, or a whole entry that the index does not name yet.
        """
        wanted = removing = False

        def attempt() -> Update:
            nonlocal wanted, removing
            outcome, index = self._decided(name, decide, seed, sbom, vouch, save, removing)
            wanted = wanted or outcome.changed
            if outcome.changed and save and outcome.after:
                removing = not outcome.after.snapshots
                self.save(outcome.after, index, seed, sbom)
                for digest in sboms_of(outcome.before) - sboms_of(outcome.after):
                    self._delete(sbom_path(name, digest))
            return dataclasses.replace(outcome, changed=wanted)

        return self._until_done(attempt, time_limit, save)

    def repair(self, *, time_limit: float = 60, save: bool = True) -> Repair:
        """Make the index anew from the entry files; whoever has lost it, or damaged a line of it, loses nothing.

        A file that cannot be read keeps the lines that it has; a name without a file goes. Both become notes.
        """
        return self._until_done(lambda: self._repaired(save), time_limit, save)

    def _repaired(self, save: bool) -> Repair:
        names = self.list_names()
        if names is None:
            raise self._read_only()
        try:
            before, damaged = self.read_index(), bool(self._unread[INDEX_FILES[0]])
        except ExplainedError as error:
            self.notes.append(str(error))
            before, damaged = Index(), True
        entries = list(self.read_entries(sorted(names)))
        unreadable = names - {entry.name for entry in entries}
        after = Index(tuple(line for line in before.lines if line.name in unreadable)).with_entries(entries)
        gone = sorted(set(before.names) - set(after.names))
        self.notes += [f"{self.place}: the index named {name}, which has no file with a snapshot; it is left out." for name in gone]
        changed = damaged or after != before or self._index_path == INDEX_FILES[1]
        if changed and save:
            self._save_index(after)
        return Repair(tuple(sorted(set(after.names) - set(before.names))), tuple(gone), changed)

    def _until_done(self, attempt: Callable[[], Any], time_limit: float, save: bool) -> Any:
        """Return what an attempt to write returns, made again as long as other writers are faster."""
        deadline = time.monotonic() + time_limit
        for number in itertools.count():
            try:
                with self.locked(max(0, deadline - time.monotonic())) if save else contextlib.nullcontext():
                    return attempt()
            except Conflict:
                if time.monotonic() >= deadline:
                    raise self._too_busy(time_limit) from None
            # Chance keeps writers that met once from meeting again.
            time.sleep(random.uniform(0, min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**number)))
        raise AssertionError("itertools.count does not end")

    def _decided(
        self,
        name: str,
        decide: Callable[[Entry | None], Entry | None],
        seed: str | None,
        sbom: str | None,
        vouch: bool,
        save: bool,
        removing: bool,
    ) -> tuple[Update, Index]:
        # The index first: where nobody can be kept out, an index that is still the same proves that the entry is, too.
        index, found = self.read_index(), self.read_entry(check_name(name))
        after = decide(found)
        if after is None and removing and found is None:
            # The file is gone by our hand, and another writer has put the name back into the index meanwhile.
            after = Entry(name)
        if after is None:
            return Update(found, found, changed=False), index
        after, signed = self._signed(found, after, vouch, save)
        known = after == found and index.lines_of(name) == index_lines(after)
        absent = found is None and not after.snapshots and not index.lines_of(name)
        beside = (seed is None or seed == self.read_seed(name)) and (sbom is None or sbom == self._read(sbom_of(name, sbom), LARGEST_SBOM))
        as_it_is = absent or (known and not signed and beside)
        if not as_it_is:
            index = self._complete(index, after)
        return Update(found, after, changed=not as_it_is), index

    def _complete(self, index: Index, entry: Entry) -> Index:
        """Return the index with all entries of which there are files, before a changed entry is written.

        Raises ExplainedError where something that could not be read would be written over: what nobody names any more may be deleted.
        """
        path = entry_path(entry.name)
        if self._unread.get(path):
            raise ManyProblems(
                f"{self.where(path)} cannot be read completely, and writing it would lose the rest:",
                self._unread[path],
                resource=self.where(path),
                next_step="Mend the file by hand or restore it from git, then run the task again.",
            )
        if not self._renews_index(index, entry):
            return index
        if self._unread[INDEX_FILES[0]]:
            raise ManyProblems(
                f"The index of {self.place} cannot be read completely, and writing it would lose the rest:",
                self._unread[INDEX_FILES[0]],
                resource=self.place,
                next_step="Make it anew from the entry files with the playbook registry_repair, then run the task again.",
            )
        forgotten = sorted((self.list_names() or set()) - {*index.names, entry.name})
        return index.with_entries(self.read_entries(forgotten)) if forgotten else index

    def _renews_index(self, index: Index, entry: Entry) -> bool:
        return index.lines_of(entry.name) != index_lines(entry) or not entry.snapshots or self._index_path != INDEX_FILES[0]

    def _signed(self, found: Entry | None, after: Entry, vouch: bool, save: bool) -> tuple[Entry, bool]:
        """Return the entry with the signatures that hold, and whether one of ours is added; without `save` it is only said."""
        after = without_stale_signatures(found, after)
        if self.signer is None or not after.snapshots:
            if found and found.signatures and not after.signatures and after.snapshots:
                self.notes.append(f"{after.name} is not signed any more, as it has changed: give a key to sign it again.")
            return after, False
        text = signed_text(entry_document(after))
        holding = tuple(signature for signature in (found.signatures if found else ()) if self.signer.fits(text, signature))
        if any(signature.signer == self.signer.name for signature in holding):
            return dataclasses.replace(after, signatures=holding), False
        unseen = () if vouch else without_surety(found, after, covered=self._has_signed(found))
        if unseen:
            self.notes.append(
                f"{after.name} is not signed by {self.signer.name}: nothing says that {', '.join(unseen)} was checked. Check the entry "
                "(playbook registry_review), then sign it with petal.hpc.snapshot_registry and state=verified."
            )
            return dataclasses.replace(after, signatures=holding), False
        if save:
            holding = tuple(sorted((*holding, self.signer.sign(text)), key=lambda signature: signature.signer))
        return dataclasses.replace(after, signatures=holding), True

    def _has_signed(self, found: Entry | None) -> bool:
        """Say whether our key has signed an entry as it lies there."""
        if self.signer is None or found is None:
            return False
        text = signed_text(entry_document(found))
        return any(self.signer.made(text, signature) for signature in found.signatures)

    def save(self, entry: Entry, index: Index, seed: str | None, sbom: str | None = None) -> None:
        """Write an entry, its seed and bill of materials where they are given, and the index, under the lock; `update` does this and more.

        The index comes last: whoever reads it finds what it names. An entry without snapshots is removed, after the index has forgotten it.
        """
        renewed = index.with_entry(entry)
        if not entry.snapshots:
            self._save_index(renewed)
            for path in (entry_path(entry.name), seed_path(entry.name)):
                self._delete(path)
            if self.read_index().lines_of(entry.name):
                # Another writer has seen the file before it was gone.
                raise Conflict(entry.name)
            return
        if seed is not None:
            self._write(seed_path(entry.name), seed, LARGEST_SEED)
        if sbom is not None:
            self._write(sbom_of(entry.name, sbom), sbom, LARGEST_SBOM)
        self._write(entry_path(entry.name), to_text(entry_document(entry)), LARGEST_ENTRY)
        if self._renews_index(index, entry):
            self._save_index(renewed)

    def files_of(self, name: str) -> dict[str, str]:
        """Return where an entry lies, by what it is."""
        return {"index": self.where(INDEX_FILES[0]), "entry": self.where(entry_path(name)), "seed": self.where(seed_path(name))}

    def _save_index(self, index: Index) -> None:
        self._write(INDEX_FILES[0], to_text(index_document(index)), LARGEST_INDEX)

    def _read_only(self) -> ExplainedError:
        return ExplainedError(
            f"The registry {self.place} can only be read.",
            resource=self.place,
            next_step="Write to the directory, the S3 prefix or the git repository that it is published from.",
        )

    def _too_busy(self, time_limit: float) -> ExplainedError:
        return ExplainedError(
            f"Other runs have been writing to the registry {self.place} for {time_limit:g} s.",
            resource=self.place,
            next_step="Run the task again when they are done; a run that was killed holds no lock.",
        )


def entry_path(name: str) -> str:
    """Return where an entry lies in its registry; raises ExplainedError for a name that could lead out of it."""
    return f"snapshots/{check_name(name)}.json"


def named_by(file: str) -> str | None:
    """Return the name of the entry that a file of the folder of entries holds; None for what is no entry."""
    is_entry = file.endswith(".json") and not file.startswith(".") and file != "index.json"
    return file.removesuffix(".json") if is_entry else None


def seed_path(name: str) -> str:
    return f"seeds/{check_name(name)}.yaml"


def sbom_path(name: str, digest: str) -> str:
    """Return where an entry's bill of materials lies; raises ExplainedError for what is no hash, which could lead out of the registry."""
    return f"sboms/{check_name(name)}-{short_fingerprint(canonical_fingerprint(digest))}.spdx.json"


def sbom_of(name: str, text: str) -> str:
    return sbom_path(name, digest_of(text))


def digest_of(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def sboms_of(entry: Entry | None) -> set[str]:
    """Return the hashes of the bills of materials that an entry names, as far as they are any."""
    return {one.sbom for one in entry.snapshots if one.sbom and SHA256.fullmatch(one.sbom)} if entry else set()


@dataclasses.dataclass(frozen=True)
class Access:
    """What kinds of storage need to be reached.

    s3: returns a boto3 client for S3. cache_dir: where copies of remote registries are kept; None for a folder of this user under the
    folder for temporary files. refresh: whether to fetch again what a copy is there of. timeout: of a connection, in seconds.
    """

    s3: Callable[[], Any] | None = None
    cache_dir: str | None = None
    refresh: bool = False
    timeout: float = 10


def _parsed_json(text: str, place: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        next_step = "Mend it or restore it from git; the playbook registry_repair makes an index anew from the entries."
        raise ExplainedError(f"{place} is not JSON: {error}.", resource=place, next_step=next_step) from error
