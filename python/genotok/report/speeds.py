"""The sections of benchmarks of tokenizers: training, encoding, `pytest --benchmark` and pytest-benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.plots import Axis, Series, dots
from genotok.report.tables import Cell, Column, Figure, ReportTable, Section, facts, number, once, text
from genotok.run_records.schemas import BenchmarkRecord, Rows

if TYPE_CHECKING:
    from genotok.report.records import FoundRecord

__all__ = ["encode_section", "pytest_section", "studies_section", "train_section"]

Record = dict[str, Any]


def train_section(found: FoundRecord) -> Section:
    """Training against others."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("corpus", numeric=False),
        Column("tokens", "size of the vocabulary"),
        Column("tool", numeric=False),
        Column("best, s", "seconds, best run"),
        Column("median, s", "seconds, median of the runs"),
        Column("memory, MB", "peak of the process, million bytes"),
        Column("runs"),
    )
    rows = [
        (
            text(case["title"]),
            number(case["vocab_size"], "{:,}"),
            text(result["engine"]),
            number(result["best_seconds"], "{:,.2f}", strong=True),
            number(result["median_seconds"], "{:,.2f}"),
            number(result["peak_bytes"], "{:,.0f}", 1e-6),
            number(len(result["runs"]), "{:,}"),
        )
        for case in record.cases
        for result in case["results"]
    ]
    plot = _by_tool(record.cases, "Training: seconds of the best run", "best_seconds", "seconds")
    return Section(
        "Training",
        found.name,
        (*facts(record), *_tools(record)),
        (ReportTable("Seconds and memory", columns, tuple(rows)),),
        (plot,),
        once((case["title"], case["caveats"]) for case in record.cases),
    )


def encode_section(found: FoundRecord) -> Section:
    """Encoding against others."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("case", numeric=False),
        Column("tool", numeric=False),
        Column("threads"),
        Column("speed, Mbp/s", "million bases per second, best run"),
        Column("best, s", "seconds, best run"),
        Column("median, s", "seconds, median of the runs"),
        Column("memory, MB", "peak of the process, million bytes"),
    )
    rows = [
        (
            text(case["title"]),
            text(result["engine"]),
            number(result["threads"], "{:,}"),
            number(result["best_bases_per_second"] or None, "{:,.4g}", 1e-6, strong=True),
            number(result["best_seconds"], "{:,.4g}"),
            number(result["median_seconds"], "{:,.4g}"),
            number(result["peak_bytes"], "{:,.0f}", 1e-6),
        )
        for case in record.cases
        for result in case["results"]
    ]
    plot = _by_tool(
        record.cases,
        "Encoding: speed of the best run",
        "best_bases_per_second",
        "million bases per second",
        1e-6,
    )
    return Section(
        "Encoding",
        found.name,
        (*facts(record), *_tools(record)),
        (ReportTable("Speed", columns, tuple(rows)),),
        (plot,),
        once((case["title"], case["caveats"]) for case in record.cases),
    )


def studies_section(found: FoundRecord) -> Section:
    """The speed studies of `pytest --benchmark`: a table of all, a plot for each."""
    record = BenchmarkRecord.from_json(found.data)
    columns = (
        Column("study", numeric=False),
        Column("case", numeric=False),
        Column("tool", numeric=False),
        Column("threads"),
        Column("median, Mbp/s", "million bases per second, median of the runs"),
        Column("best, Mbp/s", "million bases per second, best run"),
        Column("memory, MB", "peak of the process, million bytes"),
        Column("output", "against genotok's", numeric=False),
    )
    rows = [
        (
            text(case["study"]),
            text(case["title"]),
            text(result["engine"]),
            number(result["threads"], "{:,}"),
            number(case["bases"] / result["median_seconds"], "{:,.4g}", 1e-6, strong=True),
            number(result["best_bases_per_second"], "{:,.4g}", 1e-6),
            number(result["peak_bytes"], "{:,.0f}", 1e-6),
            text(result["same"]),
        )
        for case in record.cases
        for result in case["results"]
    ]
    plots = []
    for study in dict.fromkeys(case["study"] for case in record.cases):
        cases = [case for case in record.cases if case["study"] == study]
        plots.append(_by_tool(cases, study, "best_bases_per_second", "million bases per second", 1e-6))
    missing = tuple((f"without {tool}", str(why)) for tool, why in (record.more.get("missing") or {}).items())
    return Section(
        "Speed studies",
        found.name,
        (*facts(record), *_tools(record), *missing),
        (ReportTable("Speed and memory", columns, tuple(rows)),),
        tuple(plots),
        once((case["study"], case["caveats"]) for case in record.cases),
    )


def pytest_section(found: FoundRecord) -> Section:
    """What pytest-benchmark saved."""
    record = found.data
    columns = (
        Column("benchmark", numeric=False),
        Column("group", numeric=False),
        Column("best, s"),
        Column("median, s"),
        Column("deviation, s"),
        Column("rounds"),
        Column("speed, Mbp/s", "million bases per second, where the benchmark tells its bases"),
    )
    rows = [_benchmark(each) for each in record["benchmarks"]]
    machine = record["machine_info"]
    told = (
        ("date", str(record.get("datetime", ""))[:10]),
        ("machine", _cpu(machine)),
        ("system", " ".join(str(machine.get(key, "")) for key in ("system", "release")).strip()),
        ("versions", f"pytest-benchmark {record.get('version', '')}"),
        ("python", str(machine.get("python_version", ""))),
        ("commit", str((record.get("commit_info") or {}).get("id", ""))[:12]),
    )
    names = [each["name"] for each in record["benchmarks"]]
    places = [float(place) for place in range(len(names))]
    plot = dots(
        "Benchmarks: seconds",
        names,
        [
            Series("best", [each["stats"]["min"] for each in record["benchmarks"]], places),
            Series("median", [each["stats"]["median"] for each in record["benchmarks"]], places),
        ],
        Axis("seconds", log=True),
    )
    caveats = once(
        (each["name"], str((each.get("extra_info") or {}).get("caveats", "")))
        for each in record["benchmarks"]
    )
    return Section(
        "pytest-benchmark",
        found.name,
        tuple((label, fact) for label, fact in told if fact),
        (ReportTable("Benchmarks", columns, tuple(rows)),),
        (plot,),
        caveats,
    )


def _benchmark(each: Record) -> tuple[Cell, ...]:
    """The row of one benchmark."""
    stats = each["stats"]
    bases = (each.get("extra_info") or {}).get("bases")
    speed = bases / stats["min"] if isinstance(bases, int | float) and stats["min"] else None
    return (
        text(each["name"]),
        text(each.get("group") or ""),
        number(stats["min"], "{:,.4g}", strong=True),
        number(stats["median"], "{:,.4g}"),
        number(stats["stddev"], "{:,.2g}"),
        number(stats["rounds"], "{:,}"),
        number(speed, "{:,.4g}", 1e-6),
    )


def _cpu(machine: Record) -> str:
    """What pytest-benchmark tells of the machine, or what genotok's studies put in its place."""
    cpu = machine.get("cpu")
    name = cpu.get("brand_raw") if isinstance(cpu, dict) else cpu
    return ", ".join(str(part) for part in (name, machine.get("machine")) if part)


def _by_tool(cases: Rows, caption: str, key: str, unit: str, scale: float = 1) -> Figure:
    """A row for each case and a dot for each tool, and number of threads if they differ."""
    titles = [case["title"] for case in cases]
    series: dict[str, tuple[list[float], list[float]]] = {}
    for place, case in enumerate(cases):
        for result in case["results"]:
            threads = result.get("threads")
            name = result["engine"] + (f", {threads} threads" if threads and threads > 1 else "")
            if result[key]:
                x, y = series.setdefault(name, ([], []))
                x.append(result[key] * scale)
                y.append(float(place))
    return dots(
        caption, titles, [Series(name, x, y) for name, (x, y) in series.items()], Axis(unit, log=True)
    )


def _tools(record: BenchmarkRecord) -> tuple[tuple[str, str], ...]:
    """The tools with their versions."""
    tools = {result["engine"]: result["version"] for case in record.cases for result in case["results"]}
    return (("tools", ", ".join(f"{name} {version}" for name, version in tools.items())),)
