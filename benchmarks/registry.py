"""Measure how look-up and search in a snapshot registry grow with its size.

python -m benchmarks.registry [--no-page]

Writes the section "Registry" of docs/benchmarks.md and exits 1 where a target is missed. Takes about two minutes.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import gc
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.report import Target, machine, table, targets_table, write_section
from plugins.module_utils._core.registry.entries import Entry, RegisteredSnapshot
from plugins.module_utils._core.registry.files import entry_document, index_document, to_text
from plugins.module_utils._core.registry.index import Index, index_lines
from plugins.module_utils._core.registry.near_miss import nearest
from plugins.module_utils._registry.directory import DirectoryStore

SIZES = (100, 1_000, 10_000, 100_000)
LOOK_UPS = 200
# Which entries have the word that is searched for.
EVERY, RARE = 1_000, 42
REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
PACKAGES = ("samtools", "bwa", "gatk", "gromacs", "openmpi", "hdf5", "fftw", "lammps", "r", "python")
# What this run must reach: seconds of CPU, and how much a look-up may grow while the registry grows a thousandfold.
LOOK_UP, GROWTH, SEARCH = 0.05, 3, 1.0
BYTES_PER_MIB = 1 << 20


class CountingStore(DirectoryStore):
    """A registry in a directory that counts how often each of its texts is read."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(path)
        self.reads: list[str] = []

    def _read(self, path: str, largest: int) -> str | None:
        self.reads.append(path)
        return super()._read(path, largest)


@dataclasses.dataclass(frozen=True)
class Measured:
    """One size. index_bytes: of index.json. memory: of the loaded index in bytes. All times are seconds of CPU.

    load: reading the index. look_up: one fingerprint after that, with its entry, the median. index_reads: how often the index was read
    for all look-ups. search: one word. opened: how many entries the search opened. near_miss: finding the nearest entry.
    scan: what it takes to read every entry, as a look-up without an index does; some are read, the rest is multiplication.
    register: one registration, all of it.
    """

    entries: int
    index_bytes: int
    memory: int
    load: float
    look_up: float
    index_reads: int
    search: float
    opened: int
    near_miss: float
    scan: float
    register: float


def entry(number: int) -> Entry:
    """Return an entry like those of people: five packages, three regions, now and then a rare word."""
    packages = tuple(sorted({f"{PACKAGES[(number + step * step) % len(PACKAGES)]}@{1 + (number // 7) % 9}.{step}" for step in range(5)}))
    fingerprint = f"sha256:{number * 2654435761 % 2**256:064x}"
    snapshots = tuple(
        RegisteredSnapshot(
            region,
            f"snap-{number * 10 + place:017x}",
            fingerprint=fingerprint,
            os="alinux2023",
            architecture="x86_64",
            target="x86_64_v3",
            size_gib=500,
            proof="passed",
        )
        for place, region in enumerate(sorted(REGIONS))
    )
    words = ("quarterly",) if number % EVERY == RARE else ()
    return Entry(f"stack-{number:06d}", f"Software of team {number % 97}", packages, words, snapshots=snapshots)


def write_registry(path: pathlib.Path, size: int) -> None:
    """Write a registry's index, and those of its entries that are going to be opened."""
    for folder in ("snapshots", "seeds"):
        (path / folder).mkdir(parents=True)
    lines, opened = [], {*looked_up(size), *range(RARE, size, EVERY)}
    for number in range(size):
        made = entry(number)
        lines += index_lines(made)
        if number in opened:
            (path / "snapshots" / f"{made.name}.json").write_text(to_text(entry_document(made)))
    (path / "index.json").write_text(to_text(index_document(Index(tuple(lines)))))


def looked_up(size: int) -> list[int]:
    """Return the numbers of the entries that are looked up, from all over the registry."""
    return [number * 7919 % size for number in range(LOOK_UPS)]


def cpu_of(what: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    result = what()
    return time.process_time() - began, result


def measure(path: pathlib.Path, size: int) -> Measured:
    """Measure in a process of its own, as memory is counted for all of it."""
    store = CountingStore(path)
    before = _resident()
    load, index = cpu_of(store.read_index)
    gc.collect()
    memory = _resident() - before
    wanted = [entry(number).snapshots[0].fingerprint for number in looked_up(size)]
    times = [cpu_of(lambda fingerprint=fingerprint: look_up(store, index, fingerprint))[0] for fingerprint in wanted]
    index_reads, opened_before = store.reads.count("index.json"), len(store.reads)
    search, _found = cpu_of(lambda: list(store.read_entries(index.names_that_may_contain("quarterly"))))
    opened = len(store.reads) - opened_before
    near_miss, _near = cpu_of(lambda: nearest((("registry", line) for line in index.lines), ("samtools@9.9", "bwa@1.1"), {"os": "al2023"}))
    names = [entry(number).name for number in looked_up(size)]
    reading, _entries = cpu_of(lambda: list(store.read_entries(names)))
    register, _done = cpu_of(lambda: DirectoryStore(path).update("new", lambda _found: dataclasses.replace(entry(size), name="new")))
    return Measured(
        entries=size,
        index_bytes=(path / "index.json").stat().st_size,
        memory=memory,
        load=load,
        look_up=statistics.median(times),
        index_reads=index_reads,
        search=search,
        opened=opened,
        near_miss=near_miss,
        scan=reading * size / len(names),
        register=register,
    )


def look_up(store: DirectoryStore, index: Index, fingerprint: str) -> Entry:
    (found,) = store.read_entries([line.name for line in index.find(fingerprint)])
    return found


def _resident() -> int:
    """Return the bytes of memory that this process holds now."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def measure_apart(size: int, folder: pathlib.Path) -> Measured:
    write_registry(folder / str(size), size)
    command = [sys.executable, "-m", "benchmarks.registry", "--measure", str(size), "--registry", str(folder / str(size))]
    return Measured(**json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def judge(measured: list[Measured]) -> list[Target]:
    small, large = measured[0], measured[-1]
    growth = large.look_up / small.look_up
    return [
        Target(f"{LOOK_UPS} look-ups among {large.entries:,}", "one index read", str(large.index_reads), large.index_reads == 1),
        Target(f"one look-up among {large.entries:,}", f"< {LOOK_UP * 1000:.0f} ms", _ms(large.look_up), large.look_up < LOOK_UP),
        Target(f"growth from {small.entries:,} to {large.entries:,}", f"≤ {GROWTH} times", f"{growth:.1f} times", growth <= GROWTH),
        Target(f"one search among {large.entries:,}", f"< {SEARCH:g} s", _ms(large.search), large.search < SEARCH),
        Target("entries that the search opens", "those that it finds", str(large.opened), large.opened == large.entries // EVERY),
    ]


def report(measured: list[Measured], targets: list[Target]) -> str:
    header = ("entries", "index, MiB", "memory, MiB", "load", "look-up", "search", "nearest entry", "register", "without an index")
    rows = [
        (
            f"{one.entries:,}",
            f"{one.index_bytes / BYTES_PER_MIB:.1f}",
            f"{one.memory / BYTES_PER_MIB:.0f}",
            *map(_ms, (one.load, one.look_up, one.search, one.near_miss, one.register, one.scan)),
        )
        for one in measured
    ]
    return f"""\
`make bench-registry`, {datetime.date.today().isoformat()}: {machine("ansible-core")}. Times are CPU.

{targets_table(targets)}

Entries have one fingerprint in three regions and five packages; `index.json` and each entry lie in a directory.

{table(header, rows)}

Load: reading `index.json` once; memory: what the loaded index holds. Look-up: a fingerprint in the loaded index and its entry, the
median of {LOOK_UPS}. Search: a word that one in a thousand entries has. Nearest entry: what a miss explains. Register: one registration,
which reads and writes the whole index. Without an index: one look-up that reads every entry, {LOOK_UPS} of them measured and multiplied.
"""


def _ms(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.2f} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--no-page", action="store_true", help="print the report only; leave docs/benchmarks.md as it is")
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--registry", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(dataclasses.asdict(measure(arguments.registry, arguments.measure))))
        return
    with tempfile.TemporaryDirectory(prefix="petal-bench-") as folder:
        measured = [measure_apart(size, pathlib.Path(folder)) for size in SIZES]
    targets = judge(measured)
    text = report(measured, targets)
    print(text)
    if not arguments.no_page:
        write_section("Registry", text)
    sys.exit(any(not target.kept for target in targets))


if __name__ == "__main__":
    main()
