"""Many files beside one of the same content: equal merges first, then time and memory.

    python -m benchmarks.inputs                    # the record: a few minutes, 150 MB of disk
    python -m benchmarks.inputs --only "20,000 files of 200 bases" --runs 1

Every training runs in a fresh process, the one file and the many in turn. The files are of simulated DNA, a
record each; the one file has the same records.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine, measure
from benchmarks.engines import Corpus
from benchmarks.train import OURS, RECORDS, VOCAB_SIZE, write_record
from genotok import _native, pack, pack_shards
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]

LINE = 80
RUNS = 5
THREADS = (1, 2)


@dataclass(frozen=True)
class Inputs:
    """So many files of so many bases, plain or packed."""

    files: int
    bases: int
    packed: bool = False

    @property
    def title(self) -> str:
        """What it is called in tables."""
        size = f"{self.bases // 1000:,} kb" if self.bases >= 1000 else f"{self.bases} bases"
        return f"{self.files:,} {'packed shards' if self.packed else 'files'} of {size}"


ALL = (
    Inputs(130, 400_000),
    Inputs(418, 30_000),
    Inputs(5000, 5000),
    Inputs(20_000, 200),
    Inputs(130, 400_000, packed=True),
)


def write(inputs: Inputs, folder: Path) -> tuple[str, str]:
    """Write the one file and the many; what to train on for each: a path, and a pattern or a folder."""
    many = folder / "many"
    many.mkdir()
    sequence = _native.simulate(inputs.files * inputs.bases, inputs.files)
    with (folder / "one.fa").open("wb") as one:
        for number in range(inputs.files):
            part = sequence[number * inputs.bases : (number + 1) * inputs.bases]
            lines = b"".join(part[start : start + LINE] + b"\n" for start in range(0, len(part), LINE))
            record = b">%d\n" % number + lines
            one.write(record)
            (many / f"{number:05}.fa").write_bytes(record)
    if not inputs.packed:
        return str(folder / "one.fa"), str(many / "*.fa")
    pack(folder / "one.fa", folder / "one.pack")
    pack_shards(str(many / "*.fa"), folder / "shards")
    return str(folder / "one.pack"), str(folder / "shards")


def compare(inputs: Inputs, runs: int, say: Callable[[str], None]) -> list[Record]:
    """Train on the one file and on the many, in turn; a case for each number of threads.

    Raises:
        SystemExit: The merges are not the same.
    """
    with tempfile.TemporaryDirectory() as place:
        paths = dict(zip(("one", "many"), write(inputs, Path(place)), strict=True))
        cases = []
        for threads in THREADS:
            done: dict[str, list[measure.Run]] = {"one": [], "many": []}
            for number in range(runs):
                for name, path in paths.items():
                    run = measure.train(OURS, Corpus((path,), None), VOCAB_SIZE, threads)
                    say(f"{inputs.title}, {threads} threads, {name}, run {number + 1}: {run.seconds:.2f} s")
                    done[name].append(run)
            if len({run.merges_sha256 for found in done.values() for run in found}) > 1:
                raise SystemExit(f"{inputs.title}: the merges are not those of one file")
            figures = {name: _figures(found) for name, found in done.items()}
            cases.append({"title": inputs.title, **asdict(inputs), "threads": threads, **figures})
    return cases


def _figures(runs: list[measure.Run]) -> Record:
    """The median time, the median of the peaks, and every run."""
    return {
        "seconds": round(statistics.median(run.seconds for run in runs), 3),
        "peak_bytes": int(statistics.median(run.peak_bytes for run in runs)),
        "runs": [asdict(run) for run in runs],
    }


def markdown(record: BenchmarkRecord) -> str:
    """The table of a record."""
    lines = [
        "| inputs | threads | one file | peak memory | so many | peak memory | time | memory |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for case in record.cases:
        one, many = case["one"], case["many"]
        shown = [f"{found['seconds']:.2f} s | {found['peak_bytes'] / 1e6:.0f} MB" for found in (one, many)]
        ratios = [f"{many[key] / one[key]:.2f}×" for key in ("seconds", "peak_bytes")]
        lines.append(f"| {case['title']} | {case['threads']} | {' | '.join([*shown, *ratios])} |")
    made = record.provenance
    runs = max(len(case["one"]["runs"]) for case in record.cases)
    conditions = (
        f"Equal merges asserted; {VOCAB_SIZE:,} tokens, simulated DNA, medians of {runs} runs in turn; the "
        "seconds hold finding, opening and reading the files, the memory is that of the process. "
        f"{made.machine['cpu']}, {made.machine['cpu_cores']} cores, {made.date}; load before the run "
        f"{record.more['load']}."
    )
    return "\n".join([*lines, "", conditions])


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inputs", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS, help=f"runs of each (default {RUNS})")
    parser.add_argument("--only", metavar="TITLE", help="only the inputs so called; writes no record")
    parser.add_argument("--records", type=Path, default=RECORDS, help="folder for the record")
    given = parser.parse_args(arguments)
    chosen = [inputs for inputs in ALL if given.only in {None, inputs.title}]
    if not chosen:
        parser.error("there are: " + "; ".join(inputs.title for inputs in ALL))
    load = machine.load()

    def say(line: str) -> None:
        print(line, file=sys.stderr)

    cases = [case for inputs in chosen for case in compare(inputs, given.runs, say)]
    made = machine.provenance()
    print(markdown(BenchmarkRecord(kind="inputs", provenance=made, cases=cases, more={"load": load})))
    if given.only is None:
        print(write_record(cases, max(THREADS), "inputs", given.records, load=load))


if __name__ == "__main__":
    main()
