"""What a cluster would take: bytes and times of each round, measured on shards here, then extrapolated.

    python -m benchmarks.cluster FASTA...

Every question of a training on these files is timed at every shard, and its answers' bytes are counted,
before and after they are added. `Cluster` turns that into times for other corpora and numbers of workers, by
a model in which everything is written down; its table is an estimate, not a measurement.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.train import RECORDS, write_record
from genotok import Tokenizer, _native, pack_shards
from genotok.options import TrainOptions

if TYPE_CHECKING:
    from genotok.run_records.schemas import BenchmarkRecord

Record = dict[str, Any]

SHARD_BASES = 8_000_000
CORPORA = {"DNABERT-2's 32.5 Gb": 32.5e9, "metagenomes of 1.5 Tb": 1.5e12}
WORKERS = (1, 10, 100, 1000)
FAN_IN = 4
ROUNDS = 10
"""Passes of a large corpus: the measured one of 10 Gb took so many."""

MAX_HERE = 3.0
"""Seconds of a round at the one who asks, at most: islands are bounded, and with them what is trained on."""

CAVEATS = (
    "An estimate: passes are taken to share perfectly, workers to have 16 threads and memory for their "
    "shards, and links of 10 Gbit/s. Answers, and the work on their sum, are taken to grow with the square "
    "root of the bases, up to the largest that is possible. Machines that are slow or die are left out."
)


@dataclass(frozen=True)
class Cluster:
    """The model.

    Attributes:
        pass_rate: Bases a thread passes over in a second, mean of the rounds.
        question_bytes: Of a question, mean.
        answer_bytes: Of a worker's answer, mean, at `measured_bases` a worker.
        measured_bases: See there.
        add_rate: Bytes of answers that a thread adds up in a second.
        rounds: Questions that are passes.
        here: Seconds of a round at the one who asks: guess, replay and the automaton.
        all_bases: Of the corpus that was measured.
        threads: Of a worker.
        link: Bytes a second between two machines.
        most: The largest answer: all pairs of 4,096 tokens in five bytes, and the islands that fit.
    """

    pass_rate: float
    question_bytes: float
    answer_bytes: float
    measured_bases: float
    add_rate: float
    rounds: int
    here: float
    all_bases: float
    threads: int = 16
    link: float = 1.25e9
    most: float = 4096.0**2 * 5 + (1 << 24) * 2.5

    def answer(self, bases: float) -> float:
        """Bytes of the answer for so many bases."""
        return min(self.answer_bytes * math.sqrt(bases / self.measured_bases), self.most)

    def round(self, bases: float, workers: int) -> dict[str, float]:
        """Seconds of the parts of a round, and bytes."""
        share = bases / workers
        passed = share / self.pass_rate / self.threads
        asked = self.question_bytes * math.ceil(math.log2(workers + 1)) / self.link
        levels = math.ceil(math.log(workers, FAN_IN)) if workers > 1 else 0
        added = 0.0
        for level in range(levels):
            size = self.answer(min(share * FAN_IN**level, bases))
            added += FAN_IN * size * (1 / self.link + 1 / self.add_rate)
        took_in = self.answer(bases) * (1 / self.link + 1 / self.add_rate)
        return {
            "pass": passed,
            "broadcast": asked,
            "reduction": added + took_in,
            "here": min(self.here * math.sqrt(bases / self.all_bases), MAX_HERE),
            "bytes_moved": workers * (self.question_bytes + self.answer(share)),
        }


def main() -> None:
    """Measure on the files, extrapolate, write the record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+")
    parser.add_argument("--records", type=Path, default=RECORDS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        pack_shards(given.files, f"{place}/shards", shard_size=SHARD_BASES)
        rounds, here = measured(_native.shard_files(f"{place}/shards"))
    cluster = model(rounds, here)
    cases = [case(cluster, name, bases, workers) for name, bases in CORPORA.items() for workers in WORKERS]
    more = {"caveats": [CAVEATS], "model": vars(cluster), "rounds": rounds}
    print(write_record(cases, 1, "cluster", given.records, **more))


def measured(files: list[str]) -> tuple[list[Record], float]:
    """Each question of a training on the shards: bytes, seconds; and seconds between questions."""
    shards = [_native.Shard([path], threads=1) for path in files]
    training = _native.ShardTraining(len(files), TrainOptions(), None)
    found: list[Record] = []
    here, since = 0.0, time.perf_counter()
    while (question := training.next()) is not None:
        here += time.perf_counter() - since
        start = time.perf_counter()
        answers = [shard.answer(question) for shard in shards]
        answered = time.perf_counter()
        total = _native.add_answers(answers)
        added = time.perf_counter()
        found.append(
            {
                "about": _about(question),
                "question_bytes": len(question),
                "answer_bytes": [len(answer) for answer in answers],
                "sum_bytes": len(total),
                "seconds_answering": answered - start,
                "seconds_adding": added - answered,
                "bases": sum(shard.bases for shard in shards),
            }
        )
        training.answer(total)
        since = time.perf_counter()
    done = training.result()
    if done is None or Tokenizer(done[0]).to_json() != Tokenizer.train(files).to_json():
        raise SystemExit("the merges are not those of training in one process")
    return found, here


def _about(question: bytes) -> str:
    about = json.loads(question)["about"]
    return about if isinstance(about, str) else next(iter(about))


def model(questions: list[Record], here: float) -> Cluster:
    """The model from what was measured."""
    passes = [one for one in questions if one["about"] == "Pass"]
    count = len(passes)
    answers = [size for one in passes for size in one["answer_bytes"]]
    shards = len(passes[0]["answer_bytes"])
    print(f"{count} passes over {shards} shards", file=sys.stderr)
    return Cluster(
        pass_rate=sum(one["bases"] for one in passes) / sum(one["seconds_answering"] for one in passes),
        question_bytes=sum(one["question_bytes"] for one in passes) / count,
        answer_bytes=sum(answers) / len(answers),
        measured_bases=passes[0]["bases"] / shards,
        add_rate=sum(answers) / sum(one["seconds_adding"] for one in passes),
        rounds=max(count, ROUNDS),
        here=here / count,
        all_bases=passes[0]["bases"],
    )


def case(cluster: Cluster, name: str, bases: float, workers: int) -> Record:
    """One corpus on so many workers."""
    one = cluster.round(bases, workers)
    seconds = {key: value * cluster.rounds for key, value in one.items() if key != "bytes_moved"}
    return {
        "title": name,
        "workers": workers,
        "bases": bases,
        "seconds": sum(seconds.values()),
        "parts": seconds,
        "bytes_per_round": one["bytes_moved"],
        "packed_bytes_per_worker": bases / 4 / workers,
    }


def markdown(record: BenchmarkRecord) -> str:
    """The table of the estimates."""
    lines = [
        (
            "| corpus | workers | training | of it passing, adding up, here | moved per round "
            "| packed per worker |"
        ),
        "|---|---:|---:|---:|---:|---:|",
    ]
    for one in record.cases:
        parts = one["parts"]
        shares = ", ".join(f"{_duration(parts[key])}" for key in ("pass", "reduction", "here"))
        cells = [
            one["title"],
            f"{one['workers']:,}",
            _duration(one["seconds"]),
            shares,
            f"{one['bytes_per_round'] / 1e9:.1f} GB",
            f"{one['packed_bytes_per_worker'] / 1e9:,.1f} GB",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    found = record.more["model"]
    measured_here = (
        f"Measured on one thread of {record.provenance.machine['cpu']}, {record.provenance.date}: passes at "
        f"{found['pass_rate'] / 1e6:.0f} Mbp/s; a question has {found['question_bytes'] / 1e3:.0f} kB, the "
        f"answer of {found['measured_bases'] / 1e6:.1f} Mb {found['answer_bytes'] / 1e6:.2f} MB; answers are "
        f"added at {found['add_rate'] / 1e6:.0f} MB/s, and a round takes {found['here']:.2f} s here, for "
        f"{found['all_bases'] / 1e6:.0f} Mb. {found['rounds']} rounds."
    )
    return "\n".join([*lines, "", measured_here, "", *record.caveats])


def _duration(seconds: float) -> str:
    """Seconds, minutes or hours in a word."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    main()
