"""One measured point: equal output first, then time, in processes of their own.

pytest-benchmark does the rounds and the statistics, but its clock is not the wall's: it reads
`seconds_in_children`, the sum of what the children have measured themselves. So starting a process, reading
its input and comparing its output cost a round nothing, threads are set before a tool starts, and a tool that
is no Python at all takes part like the others.

How many rounds: as many as fit a budget of seconds, by the first run. In training, where each run is a fresh
process, the first run is also the first round; in encoding it is the warm-up.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import measure
from benchmarks.child import ENCODERS, Child
from benchmarks.engines import ENGINES, Corpus
from benchmarks.train import OURS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.encoders import Job
    from benchmarks.results import Case, Ledger, Record

BUDGET_SECONDS = 3.0
MAX_ROUNDS = 7

_spent = 0.0


def seconds_in_children() -> float:
    """The seconds that all measured runs have taken so far: pytest-benchmark's clock."""
    return _spent


def rounds_for(seconds: float) -> int:
    """How many rounds of so many seconds fit the budget: at least one."""
    return max(1, min(MAX_ROUNDS, int(BUDGET_SECONDS / max(seconds, 1e-6))))


@dataclass(frozen=True)
class Trained:
    """What training must give: the digest of the merges, and the tokens."""

    merges_sha256: str
    tokens: frozenset[str]


class Bench:
    """The fixture of the studies.

    Args:
        benchmark: pytest-benchmark's fixture.
        ledger: Where results go.
        folder: For files.
    """

    def __init__(self, benchmark: Any, ledger: Ledger, folder: Path) -> None:  # noqa: ANN401
        self._benchmark, self._ledger, self._folder = benchmark, ledger, folder

    def encode(self, case: Case, job: Job) -> None:
        """Let a tool encode, once untimed to compare its ids with genotok's."""
        tool = ENCODERS[job.engine]
        self._skip_if(job.engine, tool.lacks())
        ours = replace(job, engine=OURS, threads=1)
        right = self._ledger.right(case, lambda: ids_of(ours))
        with Child(job) as child:
            first = child.run()
            assert first["ids_sha256"] == right, (
                f"{job.engine} gives other ids than genotok: nothing is timed"
            )
            runs = self._time(case, child.run, rounds_for(first["seconds"]))
        assert {run["ids_sha256"] for run in runs} == {right}, f"{job.engine}: two runs gave other ids"
        facts = {"engine": job.engine, "threads": job.threads, "version": tool.version(), "timed": tool.timed}
        self._keep(case, {**facts, "same": "equal", "tokens": first["tokens"]}, runs, first["peak_bytes"])

    def train(self, case: Case, corpus: Corpus, vocab_size: int, lane: tuple[str, int]) -> None:
        """Let a tool learn; its merges are genotok's, or it is said how many of its tokens are."""
        engine, threads = lane
        tool, tokens = ENGINES[engine], self._folder / "tokens.txt"
        self._skip_if(engine, "" if tool.available() else "the package is not installed")
        right = self._ledger.right(case, lambda: trained(corpus, vocab_size, tokens))

        def run() -> Record:
            return asdict(measure.train(engine, corpus, vocab_size, threads, tokens))

        first = run()
        if tool.exact:
            assert first["merges_sha256"] == right.merges_sha256, f"{engine} gives other merges than genotok"
        same = "equal" if tool.exact else in_common(read_tokens(tokens), right.tokens)
        waiting = [first]
        rounds = rounds_for(first["seconds"])
        runs = self._time(case, lambda: waiting.pop() if waiting else run(), rounds)
        assert {run["merges_sha256"] for run in runs} == {first["merges_sha256"]}, f"{engine}: runs differ"
        facts = {"engine": engine, "threads": threads, "version": tool.version(), "timed": tool.timed}
        peak = max(run["peak_bytes"] for run in runs)
        self._keep(case, {**facts, "same": same, "tokens": vocab_size}, runs, peak)

    def _skip_if(self, engine: str, reason: str) -> None:
        """Leave a tool out that cannot take part."""
        if reason:
            self._ledger.missing[engine] = reason
            pytest.skip(f"{engine}: {reason}")

    def _time(self, case: Case, run: Callable[[], Record], rounds: int) -> list[Record]:
        """Run so many times under pytest-benchmark."""
        runs: list[Record] = []

        def once() -> None:
            global _spent  # noqa: PLW0603  a clock has one reading
            runs.append(run())
            _spent += runs[-1]["seconds"]

        self._benchmark.group = f"{case.study}, {case.title}"  # it is read when the rounds begin
        self._benchmark.pedantic(once, rounds=rounds)
        return runs

    def _keep(self, case: Case, facts: Record, runs: list[Record], peak: int | None) -> None:
        """Put the figures into the ledger, and beside pytest-benchmark's."""
        seconds = [run["seconds"] for run in runs]
        figures = {
            "best_seconds": min(seconds),
            "median_seconds": median(seconds),
            "best_bases_per_second": case.bases / min(seconds),
            "peak_bytes": peak,
            "runs": [round(one, 6) for one in seconds],
        }
        self._ledger.add(case, {**facts, **figures})
        self._benchmark.extra_info.update(
            bases=case.bases, megabases_per_second=case.bases / median(seconds) / 1e6, peak_bytes=peak
        )


def ids_of(job: Job) -> str:
    """The digest of the ids that a job gives."""
    with Child(job) as child:
        digest: str = child.run()["ids_sha256"]
    return digest


def trained(corpus: Corpus, vocab_size: int, tokens: Path) -> Trained:
    """What genotok learns."""
    run = measure.train(OURS, corpus, vocab_size, 1, tokens)
    return Trained(run.merges_sha256, frozenset(read_tokens(tokens)))


def read_tokens(path: Path) -> list[str]:
    """The tokens in a file of one a line."""
    return path.read_text(encoding="ascii").split()


def in_common(theirs: list[str], ours: frozenset[str]) -> str:
    """How many tokens of another vocabulary are genotok's too, in words."""
    return (
        f"a vocabulary of its own, {len(ours.intersection(theirs)):,} of {len(theirs):,} tokens genotok's too"
    )
