"""From sequence files to tokens on disk, by two builds in turns: equal output first, then time or memory.

    python -m benchmarks.ingest GENOME.fa.gz --before OLD/.venv/bin/python     # the record: ten minutes
    python -m benchmarks.ingest GENOME.fa.gz --before OLD/... --memory         # the record of peak memory
    python -m benchmarks.ingest GENOME.fa.gz --only windows records --rounds 3

All files are made from the first record of GENOME, in a temporary folder (`--scratch`). `--before` names the
python of a virtual environment that has an older build, or a folder that holds its package `genotok`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.ingest import cases
from benchmarks.ingest.rounds import Bench, Unequal, peaks
from benchmarks.ingest.sources import Sizes, Sources
from benchmarks.ingest.tables import markdown, memory_markdown
from benchmarks.ingest.worker import Build
from benchmarks.train import RECORDS, write_record
from genotok import Tokenizer
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUNDS = 5
QUICK = Sizes(short_records=200_000, small_files=300, small_bases=5000, long_bases=20_000_000)


def described(build: Build) -> dict[str, str]:
    """The version of a build, and the commit of the checkout that it was installed from."""
    code = "import genotok, os; print(genotok.__version__); print(os.path.dirname(genotok.__file__))"
    done = subprocess.run(
        [build.python, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=build.environment(),
        cwd=tempfile.gettempdir(),
    )
    version, folder = done.stdout.split("\n")[:2]
    git = ["git", "-C", folder, "rev-parse", "--short=12", "HEAD"]
    found = subprocess.run(git, capture_output=True, text=True, check=False)
    return {"version": version, "commit": found.stdout.strip() or "unknown"}


def tokenizers(sources: Sources) -> dict[str, str]:
    """The tokenizers of the cases, trained on the genome or made of k-mers."""
    made = {
        cases.BPE: Tokenizer.train(sources.plain[0], vocab_size=cases.VOCAB_SIZE),
        cases.KMERS: Tokenizer.kmer(cases.KMER, overlap=False),
    }
    for name, tokenizer in made.items():
        tokenizer.save(sources.folder / f"{name}.json")
    return {name: str(sources.folder / f"{name}.json") for name in made}


def run(given: argparse.Namespace, say: Callable[[str], None]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Measure the cases that are wanted; they and what the record says besides."""
    builds = [Build.of("before", given.before)] if given.before else []
    builds.append(Build.of("after", given.after))
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = [number for number in given.cores if number <= available]
    more: dict[str, Any] = {"load": machine.load(), "builds": {one.name: described(one) for one in builds}}
    with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
        sources = Sources(Path(folder), given.genome, QUICK if given.quick else Sizes())
        bench = Bench(sources, tokenizers(sources), builds, cores, say)
        more |= {"genome": given.genome.name, "bases": sources.bases, "long_bases": sources.sizes.long_bases}
        wanted = cases.chosen(cases.MEMORY if given.memory else cases.SPEED, given.only)
        found, unequal = [], []
        for case in wanted:
            try:
                found.append(peaks(bench, case) if given.memory else bench.measure(case, given.rounds))
            except Unequal as reason:
                say(str(reason))
                unequal.append(str(reason))
    return found, {**more, "unequal": unequal}


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ingest",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("genome", type=Path, help="a FASTA file, plain or gzip; its first record is used")
    parser.add_argument("--before", metavar="PATH", help="the older build (default: none)")
    parser.add_argument("--after", metavar="PATH", help="the newer build (default: this python's)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds at most (default {ROUNDS})")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2], help="numbers of cores (default 1 2)")
    parser.add_argument("--only", nargs="+", metavar="CASE", help="only these cases; writes no record")
    parser.add_argument("--memory", action="store_true", help="peak memory instead of time")
    parser.add_argument("--quick", action="store_true", help="fewer short records and small files; no record")
    parser.add_argument("--scratch", metavar="DIR", help="folder for files (default: temporary)")
    parser.add_argument("--records", type=Path, default=RECORDS, help="folder for the record")
    return parser.parse_args(given)


def main(command: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    given = arguments(command)
    kind, table = ("ingest-memory", memory_markdown) if given.memory else ("ingest", markdown)
    try:
        found, more = run(given, lambda line: print(line, file=sys.stderr, flush=True))
    except ValueError as error:
        raise SystemExit(str(error)) from error
    unequal = more.pop("unequal")
    if not found:
        raise SystemExit("\n".join(unequal))
    threads = max(result["cores"] for case in found for result in case["results"])
    made = machine.provenance()
    print(table(BenchmarkRecord(kind=kind, provenance=made, threads=threads, cases=found, more=more)))
    if unequal:
        raise SystemExit("\n".join(["no record is written:", *unequal]))
    if given.only is None and not given.quick:
        print(write_record(found, threads, kind, given.records, packages=["pyarrow"], **more))


if __name__ == "__main__":
    main()
