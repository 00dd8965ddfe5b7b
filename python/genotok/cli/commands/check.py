"""`genotok check`: what is wrong with sequence files, line by line, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli.shared import figures
from genotok.cli.shared.console import print_json
from genotok.cli.shared.messages import note, one_line
from genotok.cli.shared.multiqc import wanted_sections
from genotok.cli.shared.options import (
    MAX_UNKNOWN,
    AllowUnknown,
    Force,
    MultiqcOptions,
    ReportOptions,
    SequenceFiles,
)
from genotok.corpus.check import Defect, FileReport, check_files
from genotok.options import RunOptions

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["EXAMPLES", "check"]

EXAMPLES = (
    "genotok check genomes/*.fa",
    "genotok check --strict --limit 20 reads.fq.gz",
    "genotok check --json downloads/*.fna.gz > report.json",
    "genotok check genomes/*.fa --multiqc qc/genomes",
)

STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}

Row = tuple[str, ...]
HEADINGS: Row = ("file", "format", "records", "symbols", "N50", "G+C", "N", "result")
LEFT_ALIGNED = {0, 1, 7}


def check(
    files: SequenceFiles,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", min=1, max=100_000, metavar="N", help="Defects of a kind to print of each file."
        ),
    ] = 5,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    force: Force = False,
    *,
    multiqc: MultiqcOptions,
    run: RunOptions,
    report: ReportOptions,
) -> None:
    """Find every defect of FASTA and FASTQ files: line, column, cause and remedy."""
    from genotok.cli.shared.progress import watching

    with wanted_sections("check", multiqc, inputs=files, force=force) as sections:
        with watching(report.quiet) as watch:
            try:
                reports: list[FileReport] | None = check_files(
                    files,
                    limit=limit,
                    allow_unknown=allow_unknown,
                    threads=run.threads,
                    memory=run.memory,
                    progress=watch,
                )
            except KeyboardInterrupt:
                reports = None
        if sections and reports is not None:
            from genotok.multiqc import check_sections

            sections.write(check_sections(reports))
    if reports is None:
        note("interrupted; nothing was found out")
        raise typer.Exit(130)
    is_clean = not any(found["errors"] or (strict and found["warnings"]) for found in reports)
    if report.as_json:
        print_json({"clean": is_clean, "strict": strict, "files": reports})
    else:
        _print(reports, strict, report.quiet)
    raise typer.Exit(0 if is_clean else 1)


def _print(reports: list[FileReport], strict: bool, quiet: bool) -> None:
    """The defects, one a line; then a table of the files."""
    from genotok.cli.shared.console import standard_output

    console = standard_output()
    failing = {"error", "warning"} if strict else {"error"}
    shown = failing if quiet else set(STYLES)
    for report in reports:
        for line in _lines(report, shown):
            console.print(line, soft_wrap=True)
    if not quiet:
        if any(report["defects"] for report in reports):
            console.print()
        _print_table(console, reports)


def _lines(report: FileReport, shown: set[str]) -> Iterator[Text]:
    """The defects of a file of the severities shown, and how many more there are of each kind."""
    from rich.text import Text

    file = one_line(report["file"])
    left = dict(report["counts"])
    severities: dict[str, str] = {}
    for defect in report["defects"]:
        left[defect["code"]] -= 1
        severities[defect["code"]] = defect["severity"]
        if defect["severity"] in shown:
            yield Text.assemble(_place(file, defect), *_words(defect))
    for code, number in left.items():
        severity = severities[code]
        if number and severity in shown:
            yield Text.assemble(f"{file}: ", (severity, STYLES[severity]), f": {number:,} more of [{code}]")


def _place(file: str, defect: Defect) -> str:
    """`file:line:column: `, as far as it is known."""
    parts = (file, defect["line"], defect["column"])
    return ":".join(str(part) for part in parts if part is not None) + ": "


def _words(defect: Defect) -> Iterator[str | tuple[str, str]]:
    """What is wrong and what to do."""
    severity = defect["severity"]
    yield severity, STYLES[severity]
    record = f" (record {one_line(defect['record'])})" if defect["record"] else ""
    yield f": {one_line(defect['what'])}{record}"
    yield f"; {one_line(defect['fix'])}", "" if severity == "error" else "dim"
    yield f" [{defect['code']}]", "dim"


def _print_table(console: Console, reports: list[FileReport]) -> None:
    """One line for each file, and one for all if there are several."""
    from rich.text import Text

    rows = [_row(report) for report in reports]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    console.print(_aligned(HEADINGS, widths), style="cyan", soft_wrap=True)
    for report, row in zip(reports, rows, strict=True):
        style = STYLES["error"] if report["errors"] else STYLES["warning"] if report["warnings"] else "green"
        line = Text(_aligned(row, widths))
        line.stylize(style, len(line) - len(row[-1]))
        console.print(line, soft_wrap=True)
    if len(reports) > 1:
        clean = sum(not report["errors"] and not report["warnings"] for report in reports)
        files = figures.count(len(reports), "file")
        console.print(f"\n{files}, {clean:,} clean: {_verdict(*_totals(reports))}", soft_wrap=True)


def _totals(reports: list[FileReport]) -> tuple[int, int, int]:
    """Errors, warnings and notes of all files."""
    return (
        sum(report["errors"] for report in reports),
        sum(report["warnings"] for report in reports),
        sum(report["notes"] for report in reports),
    )


def _aligned(row: Row, widths: list[int]) -> str:
    """The cells of a row next to each other; the last is not padded."""
    cells = [
        cell.ljust(width) if index in LEFT_ALIGNED else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _row(report: FileReport) -> Row:
    """What the table says of a file."""
    symbols, total = report["symbols"], report["symbols"]["total"]
    words = [report["format"] or "unknown", report["compression"] or ""]
    verdict = _verdict(report["errors"], report["warnings"], report["notes"])
    return (
        one_line(report["file"]),
        " ".join(word for word in words if word not in {"", "plain"}),
        f"{report['records']:,}",
        figures.bases(total),
        figures.bases(report["lengths"]["n50"]),
        "-" if report["gc"] is None else f"{report['gc']:.1%}",
        f"{symbols['N'] / total:.1%}" if total else "-",
        verdict if report["complete"] else f"{verdict}; not read to its end",
    )


def _verdict(errors: int, warnings: int, notes: int) -> str:
    """`2 errors, 1 note`, or `clean`."""
    found = ((errors, "error"), (warnings, "warning"), (notes, "note"))
    text = ", ".join(figures.count(number, noun) for number, noun in found if number)
    return text if errors or warnings else f"clean, {text}" if text else "clean"
