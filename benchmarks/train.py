"""Training against Hugging Face: equal merges first, then time and memory, recorded with the machine.

    python -m benchmarks.train --quick             # a minute, on the genomes of the repository
    python -m benchmarks.train                     # the record: needs the shared genomes and 3.2 GB of disk
    python -m benchmarks.train --genome hg38.fa    # your own

Every training runs in a fresh process. A record is written only if all tools gave the same merges.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine, measure
from benchmarks.engines import ENGINES, Corpus
from genotok.run_records.reading import read_record
from genotok.run_records.schemas import BenchmarkRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = measure.ROOT
RECORDS = ROOT / "benchmarks" / "record"
OURS, RIVAL = "genotok", "Hugging Face tokenizers"
BOTH = (OURS, RIVAL)
CUT = 1000
VOCAB_SIZE = 4096
SIMULATED_BASES = 3_100_000_000
CHUNK_BASES = 50_000_000

SAME_WORDS = (
    "Both train on the same words with the same number of threads. genotok's seconds hold opening, unpacking "
    "and reading the files; Hugging Face's hold training alone, and its peak memory holds the words as "
    "Python strings."
)
CUT_WORDS = (
    " Sequence is cut into words of 1,000 bases for the sake of Hugging Face, which is quadratic in their "
    "length."
)
ALONE = "genotok alone: "
UNFINISHED = ALONE + "Hugging Face is quadratic in the length of a word: minutes for one million bases."

Record = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One line of the table: a corpus, who trains on it, and the caveats of the comparison."""

    key: str
    title: str
    paths: tuple[str, ...]
    word_length: int | None
    engines: tuple[str, ...]
    caveats: str
    vocab_size: int = VOCAB_SIZE
    max_runs: int = 5


def newest_record(kind: str, folder: Path = RECORDS) -> Record | None:
    """The newest record of a kind, which its file names; None where there is none."""
    paths = sorted(folder.glob(f"*/????-??-??-{kind}.json"), key=lambda path: (path.name, path.parent.name))
    return read_record(paths[-1]) if paths else None


def quick_cases() -> list[Case]:
    """What everyone can run: the genomes of the repository."""
    folder = ROOT / "genomes"
    yeast = tuple(sorted(str(path) for path in folder.glob("yeast_*.fa")))
    lambda_ = (str(folder / "lambda_phage.fa"),)
    return [
        Case("yeast-cut", "some yeast chromosomes, 1 kb words", yeast, CUT, BOTH, SAME_WORDS + CUT_WORDS),
        Case("lambda-whole", "phage lambda, whole", lambda_, None, BOTH, SAME_WORDS, 1024),
        Case("yeast-whole", "some yeast chromosomes, whole", yeast, None, (OURS,), UNFINISHED),
    ]


def full_cases(genomes: Path, simulated: str) -> list[Case]:
    """What the record holds: a human chromosome, all genomes of the folder, and one as long as the human."""
    human = (str(genomes / "hs37_chr20.fa.gz"),)
    everything = tuple(sorted(str(path) for path in genomes.iterdir() if path.is_file()))
    return [
        Case("chr20-cut", "human chromosome 20, 1 kb words", human, CUT, BOTH, SAME_WORDS + CUT_WORDS),
        Case("chr20-whole", "human chromosome 20, whole", human, None, (OURS,), UNFINISHED),
        Case("genomes", "eleven genomes and samples, whole", everything, None, (OURS,), UNFINISHED),
        Case(
            "simulated",
            "3.1 Gb simulated, whole",
            (simulated,),
            None,
            (OURS,),
            f"{ALONE}Hugging Face would need some 150 GB of memory. Simulated DNA has fewer kinds of repeats "
            "than a real genome, so that long tokens are rarer; the file is plain and in the page cache.",
            max_runs=1,
        ),
    ]


def given_cases(paths: list[str]) -> list[Case]:
    """Files of the user's."""
    absolute = tuple(str(Path(path).resolve()) for path in paths)
    return [
        Case("given-cut", "the files given, 1 kb words", absolute, CUT, BOTH, SAME_WORDS + CUT_WORDS),
        Case("given-whole", "the files given, whole", absolute, None, (OURS,), UNFINISHED),
    ]


def run_case(case: Case, threads: int, repeat: int, say: Callable[[str], None]) -> Record:
    """Run every available engine on a case, so many times each, in turn: the machine's speed drifts.

    Raises:
        SystemExit: The engines, or two runs of one, do not agree on the merges.
    """
    corpus = Corpus(case.paths, case.word_length)
    runs: dict[str, list[measure.Run]] = {name: [] for name in case.engines if ENGINES[name].available()}
    for name in case.engines:
        if name not in runs:
            say(f"{case.title}: {name} is not installed")
    rounds = min(repeat, case.max_runs)
    for number in range(rounds):
        for name, done in runs.items():
            run = measure.train(name, corpus, case.vocab_size, threads)
            say(f"{case.title}: {name}, run {number + 1} of {rounds}: {run.seconds:.2f} s")
            done.append(run)
    results = [summary(name, done) for name, done in runs.items()]
    digests = {run["merges_sha256"] for result in results for run in result["runs"]}
    if len(digests) > 1:
        raise SystemExit(f"{case.title}: the merges are not the same; no figure is worth recording")
    described = {key: value for key, value in asdict(case).items() if key not in {"paths", "engines"}}
    files = [{"name": Path(path).name, "bytes": Path(path).stat().st_size} for path in case.paths]
    return {**described, "files": files, "results": results}


def summary(name: str, runs: list[measure.Run]) -> Record:
    """The figures of one engine on one case: each run, the best and the median time, the worst peak."""
    seconds = [run.seconds for run in runs]
    return {
        "engine": name,
        "version": ENGINES[name].version(),
        "timed": ENGINES[name].timed,
        "best_seconds": min(seconds),
        "median_seconds": round(statistics.median(seconds), 3),
        "peak_bytes": max(run.peak_bytes for run in runs),
        "runs": [asdict(run) for run in runs],
    }


@contextmanager
def simulated_genome(num_bases: int, folder: str | None) -> Iterator[str]:
    """Write a simulated genome to a temporary FASTA file, one record per 50 Mb; remove it afterwards.

    A child writes it, as its memory would count towards the peak of all later children.
    """
    code = (
        "import sys\n"
        "from genotok import _native\n"
        "path, num_bases, chunk = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])\n"
        "with open(path, 'wb') as file:\n"
        "    for number, start in enumerate(range(0, num_bases, chunk)):\n"
        "        sequence = _native.simulate(min(chunk, num_bases - start), number)\n"
        "        file.write(b'>simulated_%d\\n' % number)\n"
        "        file.writelines(sequence[at : at + 80] + b'\\n' for at in range(0, len(sequence), 80))\n"
    )
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        path = str(Path(temporary) / "simulated.fa")
        subprocess.run([sys.executable, "-c", code, path, str(num_bases), str(CHUNK_BASES)], check=True)
        yield path


def write_record(
    cases: list[Record],
    threads: int,
    kind: str,
    folder: Path,
    *,
    packages: Iterable[str] = (),
    **more: object,
) -> Path:
    """Write the record of today to `folder/<machine>/<date>-<kind>.json`.

    Args:
        cases: What was measured.
        threads: Threads of each tool.
        kind: The benchmark.
        folder: Where records are kept.
        packages: Packages whose versions matter.
        more: Other fields, such as `caveats`.
    """
    made = machine.provenance(packages)
    data = {"provenance": made.to_json(), "kind": kind, "threads": threads, **more, "cases": cases}
    path = folder / machine.slug() / f"{made.date}-{kind}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(BenchmarkRecord.from_json(data).to_json(), indent=2) + "\n")
    return path


def ratio(rival_seconds: float, our_seconds: float) -> str:
    """How many times faster ours is, in two figures or in whole numbers."""
    times = rival_seconds / max(our_seconds, 0.001)
    return f"{times:.1f}" if times < 10 else f"{times:.0f}"


def print_cases(cases: list[Record], console: Console) -> None:
    """Print the results as a table, and the caveats below."""
    table = Table(
        "corpus", "tool", "best s", "median s", "peak MB", "merges", "times faster", title="Training"
    )
    for case in cases:
        median = {result["engine"]: result["median_seconds"] for result in case["results"]}
        for result in case["results"]:
            faster = ""
            if result["engine"] == OURS and RIVAL in median:
                faster = ratio(median[RIVAL], median[OURS])
            table.add_row(
                case["title"],
                result["engine"],
                f"{result['best_seconds']:.2f}",
                f"{result['median_seconds']:.2f}",
                f"{result['peak_bytes'] / 1e6:.0f}",
                str(result["runs"][0]["merges"]),
                faster,
            )
    console.print(table)
    for case in cases:
        console.print(f"[b]{case['title']}[/b]: {case['caveats']}", highlight=False)


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="only the genomes of the repository")
    parser.add_argument("--genome", nargs="+", metavar="PATH", help="your own FASTA files instead")
    parser.add_argument("--threads", type=int, default=2, help="threads for each tool (default 2)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument(
        "--only", nargs="+", metavar="CASE", help="only the cases of these keys; writes no record"
    )
    parser.add_argument("--bases", type=int, default=SIMULATED_BASES, help="length of the simulated genome")
    parser.add_argument(
        "--scratch", metavar="DIR", help="folder for the simulated genome (default: temporary)"
    )
    options = parser.parse_args(arguments)
    console = Console(stderr=True)

    def run(cases: list[Case], kind: str) -> None:
        chosen = [case for case in cases if options.only is None or case.key in options.only]
        done = [run_case(case, options.threads, options.repeat, console.print) for case in chosen]
        print_cases(done, Console())
        if options.only is None and options.bases == SIMULATED_BASES:
            console.print(f"written: {os.path.relpath(write_record(done, options.threads, kind, RECORDS))}")

    if options.genome:
        run(given_cases(options.genome), "train-given")
    elif options.quick:
        run(quick_cases(), "train-quick")
    else:
        genomes = Path(os.environ.get("GENOTOK_SHARED", ROOT.parent / "shared")) / "data" / "genomes"
        if not genomes.is_dir():
            raise SystemExit(
                "the shared genomes are not here: set GENOTOK_SHARED, or use --quick or --genome"
            )
        wanted = options.only is None or "simulated" in options.only
        with simulated_genome(options.bases if wanted else 1, options.scratch) as simulated:
            run(full_cases(genomes, simulated), "train")


if __name__ == "__main__":
    main()
