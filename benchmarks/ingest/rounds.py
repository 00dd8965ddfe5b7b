"""A case: every build on every number of cores, in turns, after their outputs were compared."""

from __future__ import annotations

import statistics
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.ingest.cases import Case, missed, num_bases, output_of
from benchmarks.ingest.outputs import differences, facts
from benchmarks.ingest.profiles import hottest
from benchmarks.ingest.worker import Build, Worker, remove

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.ingest.sources import Sources

Record = dict[str, Any]

COMMAND_RUNS = 3


class Unequal(Exception):  # noqa: N818 - an answer, not an error
    """No figure of a case is worth recording: the builds disagree, or one of them failed."""


class Bench:
    """What all cases share: the files, the tokenizers, the builds and the numbers of cores."""

    def __init__(
        self,
        sources: Sources,
        tokenizers: dict[str, str],
        builds: list[Build],
        cores: list[int],
        say: Callable[[str], None],
    ) -> None:
        self.sources, self.tokenizers, self.builds, self.cores, self.say = (
            sources,
            tokenizers,
            builds,
            cores,
            say,
        )

    def worker(self, case: Case, build: Build, cores: int) -> Worker:
        """A child for a case."""
        output = output_of(self.sources.folder, build.name, cores)
        return Worker(build, case.work(self.sources, self.tokenizers, output), cores)

    def measure(self, case: Case, rounds: int) -> Record:
        """Compare outputs, then run in turns.

        Raises:
            Unequal: The outputs or the reports are not the same.
        """
        rounds = min(rounds, case.max_runs)
        with ExitStack() as stack:
            lanes = [
                stack.enter_context(self.worker(case, build, cores))
                for cores in self.cores
                for build in self.builds
            ]
            self._compare(case, lanes)
            runs: list[list[Record]] = [[] for _ in lanes]
            for _ in range(rounds):
                for lane, done in zip(lanes, runs, strict=True):
                    answer = lane.ask()
                    done.append({key: answer[key] for key in ("seconds", "user", "system")})
                    remove(lane.work.output)
            results = [_summary(lane, done) for lane, done in zip(lanes, runs, strict=True)]
            self._profile(case, lanes, results)
        self._commands(case, lanes, results)
        for result in results:
            self.say(f"{case.title}: {result['build']}, {result['cores']} cores: {result['seconds']:.3f} s")
        return {
            "key": case.key,
            "title": case.title,
            "bases": num_bases(case, self.sources),
            "aim_mbps": case.aim,
            "aim_seconds": case.aim_seconds,
            "note": case.note,
            "results": results,
        }

    def _compare(self, case: Case, lanes: list[Worker]) -> None:
        """Run each child once, untimed, and compare what it reports and writes with the first one's."""
        first: Record | None = None
        for lane in lanes:
            report = lane.ask()["report"]
            found = {"report": report, **(facts(lane.work.output) if lane.work.output else {})}
            remove(lane.work.output)
            first = first or found
            if names := differences(first, found):
                raise Unequal(
                    f"{case.title}: {lane.build.name} on {lane.cores} cores gives another "
                    f"{', '.join(names)}; no figure is worth recording"
                )

    def _profile(self, case: Case, lanes: list[Worker], results: list[Record]) -> None:
        """Of a case that misses its aim, the functions that take the CPU time of the last build."""
        last, result = lanes[-1], results[-1]
        if missed(case.aim, case.aim_seconds, num_bases(case, self.sources), result):
            result["profile"] = hottest(last)
            remove(last.work.output)

    def _commands(self, case: Case, lanes: list[Worker], results: list[Record]) -> None:
        """The whole command on the largest number of cores, start of Python included."""
        taken: dict[int, list[float]] = {}
        for _ in range(min(COMMAND_RUNS, case.max_runs)):
            for number, lane in enumerate(lanes):
                arguments = case.command(lane.work)
                if arguments is None or lane.cores != max(self.cores):
                    continue
                command = [lane.build.python, "-m", "genotok", *arguments, "--threads", str(lane.cores)]
                remove(lane.work.output)
                start = time.perf_counter()
                subprocess.run(command, check=True, env=lane.build.environment(), capture_output=True)
                taken.setdefault(number, []).append(time.perf_counter() - start)
                remove(lane.work.output)
        for number, seconds in taken.items():
            results[number]["command_seconds"] = round(statistics.median(seconds), 3)


def _summary(lane: Worker, runs: list[Record]) -> Record:
    """The figures of one build on so many cores: median and range of the seconds, CPU seconds, every run."""
    seconds = [run["seconds"] for run in runs]
    return {
        "build": lane.build.name,
        "cores": lane.cores,
        "seconds": round(statistics.median(seconds), 4),
        "best_seconds": round(min(seconds), 4),
        "worst_seconds": round(max(seconds), 4),
        "user_seconds": round(statistics.median(run["user"] for run in runs), 4),
        "system_seconds": round(statistics.median(run["system"] for run in runs), 4),
        "runs": {key: [round(run[key], 4) for run in runs] for key in runs[0]},
    }


def peaks(bench: Bench, case: Case) -> Record:
    """The peak memory of each build, in a process that does the work once, with the number of bases."""
    results = []
    for build in bench.builds:
        cores = max(bench.cores)
        with bench.worker(case, build, cores) as worker:
            try:
                answer = worker.ask()
            except RuntimeError as error:
                raise Unequal(f"{case.title}: {error}") from error
            finally:
                remove(worker.work.output)
        result = {"build": build.name, "cores": cores, "seconds": round(answer["seconds"], 2)}
        results.append({**result, "peak_bytes": answer["peak_bytes"]})
        bench.say(f"{case.title}: {build.name}: {answer['peak_bytes'] / 1e6:.0f} MB")
    files = case.files(bench.sources)
    total = sum(Path(path).stat().st_size for path in files)
    return {"key": case.key, "title": case.title, "files": len(files), "bytes": total, "results": results}
