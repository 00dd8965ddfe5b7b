"""The tables of the records of `benchmarks.ingest`, in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.ingest.cases import missed

if TYPE_CHECKING:
    from genotok.run_records.schemas import BenchmarkRecord

Record = dict[str, Any]


def markdown(record: BenchmarkRecord) -> str:
    """Speed of each case before and after, on one core and on two, and what misses its aim."""
    lines = [
        "| case | aim | 1 core | 2 cores | range | times | command |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for case in record.cases:
        one, two = (_pair(case, cores) for cores in (1, 2))
        cells = [case["title"], _aim(case), _speeds(case, one), f"**{_speeds(case, two)}**"]
        lines.append(f"| {' | '.join([*cells, _range(case, two), _times(two), _commands(two)])} |")
    return "\n".join([*lines, "", _conditions(record), "", *_notes(record), *_misses(record)])


def _pair(case: Record, cores: int) -> dict[str, Record]:
    """The results on so many cores by build."""
    return {result["build"]: result for result in case["results"] if result["cores"] == cores}


def _speed(case: Record, seconds: float) -> str:
    """A speed in Mbp/s; seconds where these are aimed at."""
    return f"{seconds:.2f} s" if case["aim_seconds"] else f"{case['bases'] / seconds / 1e6:,.0f}"


def _aim(case: Record) -> str:
    if case["aim_seconds"]:
        return f"{case['aim_seconds']:.0f} s"
    return f"{case['aim_mbps']:,}" if case["aim_mbps"] else ""


def _speeds(case: Record, pair: dict[str, Record]) -> str:
    return " → ".join(_speed(case, pair[name]["seconds"]) for name in ("before", "after") if name in pair)


def _range(case: Record, pair: dict[str, Record]) -> str:
    """The slowest and the fastest run of the last build."""
    last = pair.get("after")
    return "" if last is None else " to ".join(
        _speed(case, last[key]) for key in ("worst_seconds", "best_seconds")
    )  # fmt: skip


def _times(pair: dict[str, Record]) -> str:
    return f"{pair['before']['seconds'] / pair['after']['seconds']:.2f}" if len(pair) == 2 else ""


def _commands(pair: dict[str, Record]) -> str:
    found = [pair[name].get("command_seconds") for name in ("before", "after") if name in pair]
    return " → ".join(f"{seconds:.2f} s" for seconds in found if seconds is not None)


def _conditions(record: BenchmarkRecord) -> str:
    """How it was measured, in one paragraph."""
    made, builds = record.provenance, record.more["builds"]
    named = "; ".join(f"*{name}* is commit {build['commit']}" for name, build in builds.items())
    runs = max(len(result["runs"]["seconds"]) for case in record.cases for result in case["results"])
    return (
        f"Mbp/s unless a unit is given, *before* → *after*: {named}. Equal output asserted first: rows, "
        f"names, places, ids, refget digests, reports. Medians of {runs} runs at most, builds and numbers "
        "of cores in turns, in processes that stay, so without the start of Python and without building the "
        "automaton; *command* is the whole command on two cores. *Range* is of *after* on two cores: the "
        "slowest and the fastest run. Inputs are in the page cache, inputs and outputs on one disk; every "
        "output is flushed to the disk (fsync) within the time. "
        f"{record.more['genome']}, {record.more['bases'] / 1e6:.1f} Mb; {machine.described(made)}; "
        f"{made.date}; load before the run {record.more['load']}."
    )


def _notes(record: BenchmarkRecord) -> list[str]:
    return [f"- {case['title']}: {case['note']}" for case in record.cases if case["note"]]


def _misses(record: BenchmarkRecord) -> list[str]:
    """For each case that misses its aim, how busy the cores are, and what takes the CPU time."""
    lines = []
    for case in record.cases:
        last = case["results"][-1]
        if not missed(case["aim_mbps"], case["aim_seconds"], case["bases"], last):
            continue
        budget = last["cores"] * last["seconds"]
        user, system = (last[f"{kind}_seconds"] / budget for kind in ("user", "system"))
        waits = max(0.0, 1 - user - system)
        parts = f"the two cores are {user:.0%} in user code, {system:.0%} in the system, {waits:.0%} idle"
        speed = f"{_speed(case, last['seconds'])} of {_aim(case)}"
        lines.append(
            f"- Missed, {case['title']}: {speed}; {parts}. {_profile(last.get('profile', ''))}".strip()
        )
    return lines


def _profile(found: list[Record] | str) -> str:
    """The first functions of a profile in words."""
    if isinstance(found, str):
        return found
    shown = (f"`{one['library']}: {one['function']}` {one['share']:.0%}" for one in found[:6])
    return f"Samples by perf: {', '.join(shown)}."


def memory_markdown(record: BenchmarkRecord) -> str:
    """Peak memory of each case by build."""
    names = list(record.more["builds"])
    lines = [
        f"| case | input | {' | '.join(f'{name}: peak, time' for name in names)} |",
        "|---|---:|" + "---:|" * len(names),
    ]
    for case in record.cases:
        by_build = {result["build"]: result for result in case["results"]}
        shown = [
            f"{by_build[name]['peak_bytes'] / 1e6:,.0f} MB, {by_build[name]['seconds']:.1f} s"
            for name in names
        ]
        lines.append(f"| {case['title']} | {case['bytes'] / 1e6:,.0f} MB | {' | '.join(shown)} |")
    made, builds = record.provenance, record.more["builds"]
    named = "; ".join(f"*{name}* is commit {build['commit']}" for name, build in builds.items())
    conditions = (
        "Peak resident memory of a process that does the work once, with interpreter, libraries and pages "
        f"of mapped files; {record.threads} threads; {named}. A file of the first rows is "
        f"{record.more['genome']}, {record.more['bases'] / 1e6:.1f} Mb; the long record is simulated DNA of "
        f"{record.more['long_bases'] / 1e9:g} Gb in lines of one width. {machine.described(made)}; "
        f"{made.date}."
    )
    return "\n".join([*lines, "", conditions])
