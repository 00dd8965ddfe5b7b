"""The sections of benchmarks: training, encoding, the encoder's speed and memory, and pytest-benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.plots import Axis, Series, dots, lines
from genotok.report.tables import Cell, Column, Section, Table, facts, number, once, text

if TYPE_CHECKING:
    from genotok.report.records import Found

__all__ = ["encode_section", "memory_section", "pytest_section", "speed_section", "train_section"]

Record = dict[str, Any]


def train_section(found: Found) -> Section:
    """Training against others."""
    record = found.data
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
        for case in record["cases"]
        for result in case["results"]
    ]
    plot = _by_tool(record, "Training: seconds of the best run", "best_seconds", "seconds")
    return Section(
        "Training",
        found.name,
        (*facts(record), *_tools(record)),
        (Table("Seconds and memory", columns, tuple(rows)),),
        (plot,),
        once((case["title"], case["unfair"]) for case in record["cases"]),
    )


def encode_section(found: Found) -> Section:
    """Encoding against others."""
    record = found.data
    columns = (
        Column("case", numeric=False),
        Column("tool", numeric=False),
        Column("threads"),
        Column("speed, Mb/s", "million bases a second, best run"),
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
        for case in record["cases"]
        for result in case["results"]
    ]
    plot = _by_tool(
        record, "Encoding: speed of the best run", "best_bases_per_second", "million bases a second", 1e-6
    )
    return Section(
        "Encoding",
        found.name,
        (*facts(record), *_tools(record)),
        (Table("Speed", columns, tuple(rows)),),
        (plot,),
        once((case["title"], case["unfair"]) for case in record["cases"]),
    )


def memory_section(found: Found) -> Section:
    """The encoder's memory against the length of the sequence."""
    record = found.data
    cases = sorted(record["cases"], key=lambda case: case["tokens"])
    columns = (
        Column("tokens", "in one sequence"),
        Column("forward, MB", "more than before, million bytes"),
        Column("forward and backward, MB", "more than before, million bytes"),
        Column("forward, s"),
        Column("forward and backward, s"),
    )
    rows = [
        (
            number(case["tokens"], "{:,}"),
            number(case["forward_bytes"], "{:,.1f}", 1e-6),
            number(case["both_bytes"], "{:,.1f}", 1e-6, strong=True),
            number(case.get("forward_seconds"), "{:,.2f}"),
            number(case.get("both_seconds"), "{:,.2f}"),
        )
        for case in cases
    ]
    tokens = [case["tokens"] for case in cases]
    plot = lines(
        "Encoder: memory against length",
        [
            Series("forward", tokens, [case["forward_bytes"] / 1e6 for case in cases]),
            Series("forward and backward", tokens, [case["both_bytes"] / 1e6 for case in cases]),
        ],
        Axis("tokens", log=True),
        Axis("million bytes", log=True),
    )
    table = Table("Memory", columns, tuple(rows))
    return Section("Encoder: memory", found.name, facts(record), (table,), (plot,), _said(record))


def speed_section(found: Found) -> Section:
    """The encoder's speed: a row for each case, whatever numbers it has."""
    record = found.data
    cases = [
        {**{key: value for key, value in case.items() if key != "results"}, **result}
        for case in record["cases"]
        for result in case.get("results", [{}])
    ]
    return Section("Encoder: speed", found.name, facts(record), (_plain("Cases", cases),), (), _said(record))


def pytest_section(found: Found) -> Section:
    """What pytest-benchmark saved."""
    record = found.data
    columns = (
        Column("benchmark", numeric=False),
        Column("group", numeric=False),
        Column("best, s"),
        Column("median, s"),
        Column("deviation, s"),
        Column("rounds"),
        Column("speed, Mb/s", "million bases a second, where the benchmark tells its bases"),
    )
    rows = [_benchmark(each) for each in record["benchmarks"]]
    machine, cpu = record["machine_info"], record["machine_info"].get("cpu") or {}
    told = (
        ("date", str(record.get("datetime", ""))[:10]),
        ("machine", ", ".join(str(part) for part in (cpu.get("brand_raw"), machine.get("machine")) if part)),
        ("system", " ".join(str(machine.get(key, "")) for key in ("system", "release")).strip()),
        (
            "versions",
            f"Python {machine.get('python_version', '')}, pytest-benchmark {record.get('version', '')}",
        ),
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
    unfair = once(
        (each["name"], str((each.get("extra_info") or {}).get("unfair", ""))) for each in record["benchmarks"]
    )
    return Section(
        "pytest-benchmark",
        found.name,
        tuple((label, fact) for label, fact in told if fact),
        (Table("Benchmarks", columns, tuple(rows)),),
        (plot,),
        unfair,
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


def _by_tool(record: Record, caption: str, key: str, unit: str, scale: float = 1) -> Any:  # noqa: ANN401
    """A row for each case and a dot for each tool, and number of threads if they differ."""
    titles = [case["title"] for case in record["cases"]]
    series: dict[str, tuple[list[float], list[float]]] = {}
    for place, case in enumerate(record["cases"]):
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


def _tools(record: Record) -> tuple[tuple[str, str], ...]:
    """The tools with their versions."""
    tools = {result["engine"]: result["version"] for case in record["cases"] for result in case["results"]}
    return (("tools", ", ".join(f"{name} {version}" for name, version in tools.items())),)


def _said(record: Record) -> tuple[str, ...]:
    """What a record says is unfair, in one piece or several."""
    unfair = record.get("unfair") or []
    return (unfair,) if isinstance(unfair, str) else tuple(str(each) for each in unfair)


def _plain(caption: str, rows: list[Record]) -> Table:
    """Any dictionaries as a table: a column for each key with a number or a string, in the order met."""
    keys = list(
        dict.fromkeys(
            key for row in rows for key, value in row.items() if isinstance(value, str | int | float)
        )
    )
    words = {key for key in keys for row in rows if isinstance(row.get(key), str)}
    cells = [
        tuple(text(row.get(key, "")) if key in words else number(row.get(key), "{:,.4g}") for key in keys)
        for row in rows
    ]
    return Table(caption, tuple(Column(key, numeric=key not in words) for key in keys), tuple(cells))
