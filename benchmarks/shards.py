"""Corpora larger than memory: packing, a simulated corpus of 10 Gb out of core, and Ray beside threads.

    python -m benchmarks.shards pack FASTA.gz     # the speed of packing, against unpacking gzip alone
    python -m benchmarks.shards large FOLDER      # 10 Gb from shards, below 2 GB of memory
    python -m benchmarks.shards ray FASTA...      # two Ray workers against two threads

`large` writes 2.5 GB to the folder and takes some ten minutes. Its corpus is four simulated genomes of 250
Mb, ten times each, so that its merges can be held to those of the four alone: all counts are ten times
theirs. A part of each are runs of A, so that one pair occurs more often than 32 bits can count.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.train import RECORDS, write_record
from genotok import Tokenizer, _native, pack, pack_shards

if TYPE_CHECKING:
    from genotok.run_records.schemas import BenchmarkRecord

Record = dict[str, Any]

GENOMES, COPIES = 4, 10
GENOME_BASES, RUN_BASES, RUN_LENGTH = 210_000_000, 40_000_000, 1000
MEMORY = "2G"
RUNS = 3


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("pack", "large", "ray"))
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--records", type=Path, default=RECORDS)
    given = parser.parse_args()
    cases, caveats = {"pack": packing, "large": large, "ray": on_ray}[given.what](given.paths)
    print(write_record(cases, 2, f"shards-{given.what}", given.records, caveats=[caveats]))


def train(arguments: list[str], output: Path) -> tuple[float, Record]:
    """Seconds and report of `genotok train-bpe` in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "genotok",
        "train-bpe",
        *arguments,
        "-o",
        str(output),
        "--json",
        "--quiet",
    ]
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - start, json.loads(done.stdout)


def packing(paths: list[Path]) -> tuple[list[Record], str]:
    """Packing one gzip file, the same plain, and what unpacking it alone takes."""
    cases = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        plain = folder / "plain.fa"
        with plain.open("wb") as file:
            subprocess.run(["gzip", "-dc", str(paths[0])], check=True, stdout=file)
        bases = int(str(pack(plain, folder / "whole.pack")["bases"]))
        tools = {
            "gzip -dc, to nowhere": lambda: _to_nowhere(["gzip", "-dc", str(paths[0])]),
            "genotok pack, gzip": lambda: _pack(paths[0], folder),
            "genotok pack, plain": lambda: _pack(plain, folder),
            "cat, to nowhere": lambda: _to_nowhere(["cat", str(plain)]),
        }
        seconds: dict[str, list[float]] = {name: [] for name in tools}
        for _ in range(RUNS):
            for name, work in tools.items():
                start = time.perf_counter()
                work()
                seconds[name].append(time.perf_counter() - start)
    for name, taken in seconds.items():
        cases.append({"title": name, "seconds": min(taken), "runs": taken, "bases": bases})
    return cases, (
        f"{paths[0].name}: one file, so packing has one thread. The best of {RUNS} runs, in turn. Packing "
        "reads its input twice, the first time for the checksum; files are in the page cache."
    )


def _to_nowhere(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _pack(path: Path, folder: Path) -> None:
    shutil.rmtree(folder / "shards", ignore_errors=True)
    pack_shards(path, folder / "shards", shard_size=16_000_000)


def simulated(folder: Path) -> list[Path]:
    """The shards of the large corpus, and the four genomes alone as packed files."""
    alone = []
    runs = (b"A" * RUN_LENGTH + b"N") * (RUN_BASES // RUN_LENGTH)
    for number in range(GENOMES * COPIES):
        genome = number % GENOMES
        fasta = folder / f"simulated-{number}.fa"
        with fasta.open("wb") as file:
            file.write(b">copy-%d\n" % number)
            file.write(_native.simulate(GENOME_BASES, genome))
            file.write(b"N" + runs + b"\n")
        pack_shards(fasta, folder / "shards", shard_size=GENOME_BASES, append=number > 0)
        if number < GENOMES:
            alone.append(folder / f"{genome}.pack")
            pack(fasta, alone[-1])
        fasta.unlink()
        print(f"{number + 1} of {GENOMES * COPIES} packed", file=sys.stderr)
    return alone


def large(paths: list[Path]) -> tuple[list[Record], str]:
    """The large corpus with little memory, and the same merges from a tenth of it."""
    (folder,) = paths
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    alone = simulated(folder)
    generated = time.perf_counter() - start
    seconds, report = train([str(folder / "shards"), "--memory", MEMORY], folder / "large.json")
    tenth, small = train(list(map(str, alone)), folder / "tenth.json")
    merges = Tokenizer.from_file(folder / "large.json").merges
    if merges != Tokenizer.from_file(folder / "tenth.json").merges:
        raise SystemExit("the merges are not those of a tenth of the corpus")
    most = COPIES * pairs_of_a()
    if most < 1 << 31:
        raise SystemExit(f"the most frequent pair occurs {most:,} times, which 32 bits can count")
    cases = [
        {
            "title": f"{report['bases'] / 1e9:.0f} Gb from shards, --memory {MEMORY}",
            "seconds": seconds,
            "bases": report["bases"],
            "peak_bytes": report["peak_memory_bytes"],
            "rounds": report["round_log"],
            "most_frequent_pair": most,
        },
        {
            "title": "a tenth of it, each genome once",
            "seconds": tenth,
            "bases": small["bases"],
            "peak_bytes": small["peak_memory_bytes"],
        },
    ]
    return cases, (
        f"Simulated, {GENOMES} genomes ten times each; generating and packing took {generated:.0f} s. "
        "Seconds hold checking every shard's checksum. 4,096 tokens, equal merges asserted between the two; "
        f"the pair (A, A) occurs {most:,} times."
    )


def pairs_of_a() -> int:
    """How often an A follows an A in the four genomes, counted base by base."""
    total = GENOMES * (RUN_BASES // RUN_LENGTH) * (RUN_LENGTH - 1)
    for genome in range(GENOMES):
        sequence = _native.simulate(GENOME_BASES, genome)
        for other in b"CGT":
            sequence = sequence.replace(bytes([other]), b" ")
        total += sum(len(run) - 1 for run in sequence.split())
    return total


def on_ray(paths: list[Path]) -> tuple[list[Record], str]:
    """Two threads in one process, and two Ray workers of a thread each, on the same packed files."""
    import ray  # noqa: PLC0415 - an extra

    from genotok import distributed  # noqa: PLC0415

    names = ("two threads", "two Ray workers", "two Ray workers: starting and reading")
    seconds: dict[str, list[float]] = {name: [] for name in names}
    bases = 0
    with tempfile.TemporaryDirectory() as place:
        pack_shards([str(path) for path in paths], f"{place}/shards", shard_size=8_000_000)
        files = _native.shard_files(f"{place}/shards")
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        for _ in range(RUNS):
            here = Tokenizer.train(files, threads=2)
            there = distributed.train(files, workers=2)
            if here.to_json() != there.to_json() or here.report is None or there.report is None:
                raise SystemExit("the two files differ")
            bases = here.report["bases"]
            seconds[names[0]].append(here.report["seconds_training"])
            seconds[names[1]].append(there.report["seconds_training"])
            seconds[names[2]].append(there.report["seconds_reading"])
        ray.shutdown()
    cases = [
        {"title": name, "seconds": min(taken), "runs": taken, "bases": bases}
        for name, taken in seconds.items()
    ]
    return cases, (
        f"Equal files asserted; the best of {RUNS} runs, in turn. Training alone, in a Ray that is running; "
        "starting workers and reading is a row of its own. Ray's own processes share the two cores with its "
        "workers and with the driver, which trains on the islands."
    )


def markdown(record: BenchmarkRecord) -> str:
    """The table of one of these records, and its caveats."""
    lines = ["| | seconds | speed | peak memory |", "|---|---:|---:|---:|"]
    for one in record.cases:
        peak = f"{one['peak_bytes'] / 1e9:.2f} GB" if "peak_bytes" in one else ""
        speed = one["bases"] / one["seconds"] / 1e6
        lines.append(f"| {one['title']} | {one['seconds']:,.2f} | {speed:,.0f} Mbp/s | {peak} |")
    machine = record.provenance.machine
    where = f"{machine['cpu']}, {machine['cpu_cores']} cores, {record.provenance.date}."
    return "\n".join([*lines, "", f"{where} {' '.join(record.caveats)}"])


if __name__ == "__main__":
    main()
