"""How training scales: its phases with one thread and with more, and what Amdahl's law makes of them.

    python -m benchmarks.scaling FASTA.gz          # the record: two vocabularies, one and two threads in turn

A phase that takes `t(1)` with one thread and `t(n)` with n has the serial share
`(n t(n) / t(1) - 1) / (n - 1)`: what would run on one thread if all else were divided evenly. It holds
whatever keeps a phase from being n times as fast: work of one thread, waiting, and memory or cores that
threads share. On N cores the phase is then estimated at `t(1) (share + (1 - share) / N)`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.shards import train
from benchmarks.train import CUT, RECORDS, write_record
from genotok.run_records.reading import read_record
from genotok.run_records.schemas import BenchmarkRecord

Record = dict[str, Any]

VOCAB_SIZES = (4096, 65536)
CORES = (16, 64)
PHASES = {"reading": "reading", "guess": "guesses", "pass": "passes", "replay": "replays"}
CAVEATS = (
    "One file, in words of 1,000 bases; one thread and more in turn, each training in a process of its own, "
    "the best of all runs for each phase; equal tokenizers asserted. Guesses hold building the automata. The "
    "estimates are not measured: they say what these serial shares would mean on more cores."
)


def phases(report: Record) -> dict[str, float]:
    """Seconds of each phase of a training."""
    found = {"reading": report["seconds_reading"]}
    for phase in ("guess", "pass", "replay"):
        found[phase] = sum(one[f"seconds_{phase}"] for one in report["round_log"])
    return found


def serial_share(one: float, several: float, threads: int) -> float:
    """The part of a phase, from 0 to 1, that more threads do not make faster: by its seconds with both."""
    return min(max((threads * several / one - 1) / (threads - 1), 0.0), 1.0) if one else 0.0


def estimate(seconds: float, share: float, cores: int) -> float:
    """Seconds on so many cores, from those on one and the serial share."""
    return seconds * (share + (1 - share) / cores)


def measure(path: Path, vocab_size: int, threads: int, repeat: int, folder: Path) -> Record:
    """The best of some runs, for each phase, with one thread and with several.

    Raises:
        SystemExit: Two runs gave different files.
    """
    best: dict[int, dict[str, float]] = {}
    files = set()
    for _ in range(repeat):
        for number in (1, threads):
            output = folder / "tokenizer.json"
            options = ["--vocab", vocab_size, "--word-length", CUT, "--threads", number, "--force"]
            _, report = train([str(path), *map(str, options)], output)
            files.add(output.read_bytes())
            found = phases(report)
            before = best.get(number, found)
            best[number] = {phase: min(seconds, before[phase]) for phase, seconds in found.items()}
    if len(files) > 1:
        raise SystemExit("two runs gave different tokenizers; no figure is worth recording")
    rows = []
    for phase, one in best[1].items():
        several = best[threads][phase]
        rows.append(
            {"phase": phase, "one": one, "several": several, "share": serial_share(one, several, threads)}
        )
    return {"title": f"{vocab_size:,} tokens", "vocab_size": vocab_size, "runs": repeat, "phases": rows}


def markdown(record: BenchmarkRecord) -> str:
    """A table for each vocabulary: phases, their serial shares, and the estimates."""
    parts = []
    for case in record.cases:
        rows = [(PHASES[row["phase"]], row) for row in case["phases"]]
        head = [case["title"], "1 thread", f"{record.threads} threads", "serial share"]
        head += [f"{cores} cores, estimated" for cores in CORES]
        lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
        lines += [_line(name, [row]) for name, row in rows]
        lines.append(_line("together", [row for _, row in rows]))
        parts.append("\n".join(lines))
    conditions = (
        f"{machine.described(record.provenance)}; {record.provenance.date}. {' '.join(record.caveats)}"
    )
    return "\n\n".join([*parts, conditions])


def _line(name: str, rows: list[Record]) -> str:
    """One line of the table: the sums of these phases."""
    one, several = sum(row["one"] for row in rows), sum(row["several"] for row in rows)
    serial = sum(row["one"] * row["share"] for row in rows)
    on_more = [sum(estimate(row["one"], row["share"], cores) for row in rows) for cores in CORES]
    times = [f"{one / max(seconds, 1e-9):.1f}×" for seconds in on_more]
    cells = [f"{seconds:.2f} s ({faster})" for seconds, faster in zip(on_more, times, strict=True)]
    return (
        f"| {name} | {one:.2f} s | {several:.2f} s | {serial / max(one, 1e-9):.0%} | "
        + " | ".join(cells)
        + " |"
    )


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="a sequence file")
    parser.add_argument("--threads", type=int, default=2, help="threads to compare with one (default 2)")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each (default 5)")
    parser.add_argument("--vocab", type=int, nargs="+", default=VOCAB_SIZES, help="sizes of vocabularies")
    parser.add_argument("--records", type=Path, default=RECORDS, help="where records are kept")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        cases = [measure(given.path, size, given.threads, given.repeat, Path(folder)) for size in given.vocab]
    path = write_record(cases, given.threads, "train-scaling", given.records, caveats=[CAVEATS])
    print(markdown(BenchmarkRecord.from_json(read_record(path))), f"written: {path}", sep="\n\n")


if __name__ == "__main__":
    main()
