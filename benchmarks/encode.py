"""Encoding against other encoders: equal ids first, then time, recorded with the machine.

    python -m benchmarks.encode --quick            # a minute, on the genomes of the repository
    python -m benchmarks.encode                    # the record: human chromosome 20, under eight minutes
    python -m benchmarks.encode --genome hg38.fa   # your own

Each tool on each case is a process that stays; they take turns. A record is written only if all gave the
same ids.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import re
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.child import ENCODERS, Child
from benchmarks.encoders import Job
from benchmarks.engines import sequences
from benchmarks.kmers import PLAIN
from benchmarks.train import CUT, OURS, RECORDS, RIVAL, ROOT, VOCAB_SIZE, ratio, write_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from genotok.run_records.schemas import BenchmarkRecord

TIKTOKEN, GEMS = "tiktoken", "rust-gems bpe"
READ_BASES, CALL_BASES = 150, 500
SIMULATED_BASES = 40_000_000
LARGE_VOCAB_SIZE = 32_000

Record = dict[str, Any]
Lane = tuple[str, int]
"""A tool, and the threads it may use."""

NO_N = "Only A, C, G and T in upper case: two of the tools have no unknown token. "
TOO_SLOW = "Hugging Face and tiktoken are left out as too slow."
PYTHON_OBJECTS = (
    "genotok leaves an Arrow array, rust-gems vectors in Rust; Hugging Face and tiktoken make Python "
    "objects, as their users get them. "
)


@dataclass(frozen=True)
class Case:
    """One comparison: what is encoded, by whom, and its caveats."""

    key: str
    title: str
    work: str
    source: str
    bases: int
    lanes: tuple[Lane, ...]
    caveats: str
    vocab_size: int = VOCAB_SIZE
    window: int | None = None
    max_runs: int = 9


@dataclass(frozen=True)
class Sizes:
    """How much of each: bases of a string and of windows, reads, calls, bases for plain Python."""

    part: int
    windows: int
    reads: int
    calls: int
    naive: int


FULL = Sizes(part=1_000_000, windows=4_000_000, reads=25_000, calls=4_000, naive=1_000_000)
QUICK = Sizes(part=100_000, windows=400_000, reads=2_500, calls=400, naive=100_000)
EVERYBODY = ((OURS, 1), (GEMS, 1), (TIKTOKEN, 1), (RIVAL, 1))
BOTH_THREADS = ((OURS, 1), (OURS, 2), (RIVAL, 1), (RIVAL, 2))


class Inputs:
    """The files that the cases read, in a temporary folder."""

    def __init__(self, folder: Path, paths: list[str]) -> None:
        self.folder, self.paths = folder, paths
        whole = "".join(sequence for path in paths for sequence in sequences(Path(path)))
        self.text = whole
        self.sequence = re.sub("[^ACGT]+", "", whole.upper())

    def lines(self, name: str, lines: list[str]) -> str:
        """Write a file of one sequence a line."""
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", encoding="ascii")
        return str(path)

    def fasta(self, name: str, sequence: str, *, packed: bool = False) -> str:
        """Write a FASTA file of one record in lines of 60."""
        path = self.folder / name
        lines = (sequence[at : at + 60] for at in range(0, len(sequence), 60))
        data = (">benchmark\n" + "\n".join(lines) + "\n").encode("ascii")
        path.write_bytes(gzip.compress(data, 6) if packed else data)
        return str(path)

    def draw(self, number: int, length: int) -> list[str]:
        """Draw substrings of one length, the same on each run."""
        chance = random.Random(20)
        starts = (chance.randrange(len(self.sequence) - length) for _ in range(number))
        return [self.sequence[start : start + length] for start in starts]


def sequence_cases(inputs: Inputs, sizes: Sizes) -> list[Case]:
    """Sequences in memory."""
    sequence, whole = inputs.sequence, len(inputs.sequence)
    part, spread = sequence[: sizes.part], sequence[: sizes.windows]
    windows = inputs.lines("windows", [spread[at : at + CUT] for at in range(0, len(spread), CUT)])
    reads = inputs.draw(sizes.reads, READ_BASES)
    calls = inputs.draw(sizes.calls, CALL_BASES)
    one = inputs.lines("whole", [sequence])
    everything = inputs.lines("windows-all", [sequence[at : at + CUT] for at in range(0, whole, CUT)])
    return [
        Case("part", f"one string of {len(part):,} bases", "one", inputs.lines("part", [part]), len(part),
             EVERYBODY, NO_N + PYTHON_OBJECTS + "A part, as Hugging Face is slow.", max_runs=3),
        Case("chromosome", "the whole chromosome as one string", "sequences", one, whole,
             ((OURS, 1), (OURS, 2), (GEMS, 1)), NO_N + TOO_SLOW),
        Case("windows", "windows of 1 kb", "sequences", windows, len(spread),
             (*EVERYBODY, (OURS, 2), (RIVAL, 2)), NO_N + PYTHON_OBJECTS, max_runs=5),
        Case("windows-all", "windows of 1 kb, the whole chromosome", "sequences", everything, whole,
             ((OURS, 1), (OURS, 2), (GEMS, 1)), NO_N + TOO_SLOW),
        Case("reads", "reads of 150 bases", "sequences", inputs.lines("reads", reads), sum(map(len, reads)),
             (*EVERYBODY, (OURS, 2), (RIVAL, 2)), NO_N + PYTHON_OBJECTS, max_runs=5),
        Case("reads-all", "reads of 150 bases, the whole chromosome", "sequences",
             inputs.lines("reads-all", inputs.draw(whole // READ_BASES, READ_BASES)),
             whole // READ_BASES * READ_BASES, ((OURS, 1), (OURS, 2), (GEMS, 1)), NO_N + TOO_SLOW),
        Case("calls", "a call for each string of 500 bases", "calls", inputs.lines("calls", calls),
             sum(map(len, calls)), ((OURS, 1), (TIKTOKEN, 1), (RIVAL, 1)),
             NO_N + "genotok and tiktoken give lists, Hugging Face an object that makes its list later."),
    ]  # fmt: skip


def other_cases(inputs: Inputs, sizes: Sizes) -> list[Case]:
    """Files, k-mers, and getting ready."""
    text, sequence = inputs.text, inputs.sequence
    plain, packed = inputs.fasta("whole.fa", text), inputs.fasta("whole.fa.gz", text, packed=True)
    spread = sequence[: sizes.windows]
    one = inputs.lines("whole-kmers", [sequence])
    naive = inputs.lines("naive", [sequence[: sizes.naive]])
    alone = "genotok alone. "
    disk = "The file is in the page cache; the output goes to the temporary folder. "
    kmers = "The vocabulary is a dictionary made outside the timing. "
    return [
        Case("file", "FASTA file to Arrow file", "file", plain, len(text), ((OURS, 1), (OURS, 2)),
             alone + disk, max_runs=5),
        Case("file-gz", "the same, gzip", "file", packed, len(text), ((OURS, 1), (OURS, 2)),
             alone + disk + "Against the row above: the share of decompression.", max_runs=5),
        Case("file-windows", "FASTA file to Arrow file in 1 kb windows", "file",
             inputs.fasta("part.fa", spread), len(spread), ((OURS, 2), (RIVAL, 2)),
             "Hugging Face behind a plain Python reader and before pyarrow, as one would write it.",
             window=CUT, max_runs=3),
        Case("kmers", "overlapping 6-mers, whole", "kmers", one, len(sequence),
             ((OURS, 1), (OURS, 2)), alone),
        Case("kmers-part", "overlapping 6-mers, a part", "kmers", naive, sizes.naive, ((OURS, 1), (PLAIN, 1)),
             kmers, max_runs=5),
        Case("kmers-apart", "non-overlapping 6-mers, whole", "kmers-apart", one, len(sequence),
             ((OURS, 1), (OURS, 2)), alone),
        Case("kmers-apart-part", "non-overlapping 6-mers, a part", "kmers-apart", naive, sizes.naive,
             ((OURS, 1), (PLAIN, 1)), kmers, max_runs=5),
        Case("build", f"reading a tokenizer of {VOCAB_SIZE:,} tokens and making it ready", "build", naive, 0,
             ((OURS, 1),), alone + "Parsing the file, building the automaton and encoding four bases."),
        Case("build-large", f"the same with {LARGE_VOCAB_SIZE:,} tokens", "build", naive, 0, ((OURS, 1),),
             alone, vocab_size=LARGE_VOCAB_SIZE, max_runs=5),
    ]  # fmt: skip


def job_of(case: Case, lane: Lane, tokenizer: str) -> Job:
    """What the child of a tool is to do on a case."""
    engine, threads = lane
    return Job(engine, case.work, tokenizer, case.source, threads, case.window)


def run_case(case: Case, tokenizer: str, repeat: int, say: Callable[[str], None]) -> Record | None:
    """Let the tools encode in turn, once untimed to compare ids.

    Raises:
        SystemExit: The ids are not the same.
    """
    reasons = {lane: ENCODERS[lane[0]].lacks() for lane in case.lanes}
    for (engine, _), reason in reasons.items():
        if reason:
            say(f"{case.title}: {engine}: {reason}")
    with ExitStack() as stack:
        children = [
            stack.enter_context(Child(job_of(case, lane, tokenizer)))
            for lane, reason in reasons.items()
            if not reason
        ]
        if not children:
            return None
        digests = {(child.engine, child.threads): child.run()["ids_sha256"] for child in children}
        if len(set(digests.values())) > 1:
            raise SystemExit(f"{case.title}: the ids are not the same: {digests}")
        runs: list[list[Record]] = [[] for _ in children]
        for _ in range(min(repeat, case.max_runs)):
            for child, done in zip(children, runs, strict=True):
                done.append(child.run())
        results = [summary(child, done, case.bases) for child, done in zip(children, runs, strict=True)]
    for result in results:
        say(f"{case.title}: {result['engine']}, {result['threads']}: {result['best_seconds']:.4f} s")
    kept = ("key", "title", "work", "bases", "window", "vocab_size", "caveats")
    return {**{key: getattr(case, key) for key in kept}, "results": results}


def summary(child: Child, runs: list[Record], bases: int) -> Record:
    """The figures of one tool on one case."""
    seconds = [run["seconds"] for run in runs]
    engine = ENCODERS[child.engine]
    return {
        "engine": child.engine,
        "threads": child.threads,
        "version": engine.version(),
        "timed": engine.timed,
        "best_seconds": min(seconds),
        "median_seconds": statistics.median(seconds),
        "best_bases_per_second": bases / min(seconds),
        "tokens": runs[0]["tokens"],
        "ids_sha256": runs[0]["ids_sha256"],
        "peak_bytes": max((run.get("peak_bytes") or 0 for run in runs), default=0) or None,
        "runs": [round(one, 6) for one in seconds],
    }


def train_tokenizers(inputs: Inputs) -> dict[int, str]:
    """Vocabulary size to a tokenizer's file; the large one is trained on simulated DNA too."""
    import genotok  # noqa: PLC0415
    from genotok import _native  # noqa: PLC0415

    simulated = inputs.fasta("simulated.fa", _native.simulate(SIMULATED_BASES, 1).decode("ascii"))
    made = {}
    for vocab_size, paths in ((VOCAB_SIZE, inputs.paths), (LARGE_VOCAB_SIZE, [*inputs.paths, simulated])):
        path = str(inputs.folder / f"tokenizer-{vocab_size}.json")
        genotok.Tokenizer.train(paths, vocab_size=vocab_size, word_length=CUT).save(path)
        made[vocab_size] = path
    return made


def speed(result: Record, bases: int) -> str:
    """`1,234 Mbp/s`, or milliseconds where nothing is encoded."""
    if not bases:
        return f"{result['median_seconds'] * 1e3:.1f} ms"
    rate = bases / result["median_seconds"] / 1e6
    return f"{rate:,.0f} Mbp/s" if rate >= 10 else f"{rate:.2f} Mbp/s"


def markdown(record: BenchmarkRecord) -> str:
    """The table of a record, and below it the machine and the caveats."""
    lines = ["| case | tool | threads | speed | times slower than genotok |", "|---|---|---:|---:|---:|"]
    for case in record.cases:
        ours = min(result["median_seconds"] for result in case["results"] if result["engine"] == OURS)
        alone = [r["median_seconds"] for r in case["results"] if r["engine"] == OURS and r["threads"] == 1]
        for result in case["results"]:
            base = alone[0] if alone and result["threads"] == 1 else ours
            slower = "" if result["engine"] == OURS else ratio(result["median_seconds"], base)
            cells = [
                case["title"],
                result["engine"],
                str(result["threads"]),
                speed(result, case["bases"]),
                slower,
            ]
            lines.append("| " + " | ".join(cells) + " |")
    made = record.provenance
    versions = {result["engine"]: result["version"] for case in record.cases for result in case["results"]}
    tools = ", ".join(f"{name} {version}" for name, version in versions.items())
    conditions = (
        f"Equal ids asserted in each case; medians of the runs, in turn; {machine.described(made)}; "
        f"{tools}, Python {made.software['python']}; {made.date}. Caveats:"
    )
    caveats: dict[str, list[str]] = {}
    for case in record.cases:
        caveats.setdefault(case["caveats"].strip(), []).append(case["title"])
    return "\n".join([
        *lines,
        "",
        conditions,
        "",
        *(f"- {'; '.join(titles)}: {reason}" for reason, titles in caveats.items()),
    ])  # fmt: skip


def print_cases(cases: list[Record], console: Console) -> None:
    """Print the results as a table."""
    table = Table("case", "tool", "threads", "best s", "median s", "speed", "peak MB", title="Encoding")
    for case in cases:
        for result in case["results"]:
            peak = result["peak_bytes"]
            table.add_row(
                case["title"],
                result["engine"],
                str(result["threads"]),
                f"{result['best_seconds']:.4f}",
                f"{result['median_seconds']:.4f}",
                speed(result, case["bases"]),
                f"{peak / 1e6:.0f}" if peak else "",
            )
    console.print(table)


def run(
    paths: list[str], sizes: Sizes, options: argparse.Namespace, say: Callable[[str], None]
) -> list[Record]:
    """Run the cases that are wanted."""
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        inputs = Inputs(Path(folder), paths)
        tokenizers = train_tokenizers(inputs)

        def done() -> Iterator[Record]:
            for case in [*sequence_cases(inputs, sizes), *other_cases(inputs, sizes)]:
                if options.only is None or case.key in options.only:
                    record = run_case(case, tokenizers[case.vocab_size], options.repeat, say)
                    if record is not None:
                        yield record

        return list(done())


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encode", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small, on the genomes of the repository")
    parser.add_argument("--genome", nargs="+", metavar="PATH", help="your own FASTA files instead")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each (default 5)")
    parser.add_argument("--only", nargs="+", metavar="CASE", help="only these cases; writes no record")
    parser.add_argument("--scratch", metavar="DIR", help="folder for files (default: temporary)")
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    shared = Path(os.environ.get("GENOTOK_SHARED", ROOT.parent / "shared")) / "data" / "genomes"
    kind = "encode"
    if options.genome:
        paths, kind = [str(Path(path).resolve()) for path in options.genome], "encode-given"
    elif options.quick:
        paths, kind = sorted(map(str, (ROOT / "genomes").glob("yeast_*.fa"))), "encode-quick"
    elif shared.is_dir():
        paths = [str(shared / "hs37_chr20.fa.gz")]
    else:
        raise SystemExit("the shared genomes are not here: set GENOTOK_SHARED, or use --quick or --genome")
    cases = run(paths, QUICK if options.quick else FULL, options, console.print)
    print_cases(cases, Console())
    if options.only is None:
        console.print(f"written: {os.path.relpath(write_record(cases, 2, kind, RECORDS))}")


if __name__ == "__main__":
    main()
