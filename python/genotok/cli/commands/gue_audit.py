"""`genotok gue audit`: rows of one locus within and across splits, balance and lengths."""

from __future__ import annotations

import dataclasses
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genotok.cli.shared.audit_tables import print_audit
from genotok.cli.shared.console import print_json
from genotok.cli.shared.messages import note, note_unknown
from genotok.cli.shared.options import MAX_UNKNOWN, AllowUnknown, Force, ReportOptions, Threads
from genotok.cli.shared.tokenizer_file import load_tokenizer
from genotok.files.kinds import AUDIT
from genotok.files.outputs import output_file
from genotok.options.learning import LabelOptions
from genotok.options.loci import LocusOptions

if TYPE_CHECKING:
    from genotok.gue import Audit, GueSet, LabelledSplit, Task

__all__ = ["audit_sets"]


def audit_sets(
    folders: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDERS...",
            help="GUE's layout, or a folder with train.csv, dev.csv and test.csv.",
            show_default=False,
        ),
    ],
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task", metavar="NAME", help="Only this set of GUE; may be given again.", show_default="all"
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Also write a record, for genotok report.",
            show_default="none",
        ),
    ] = None,
    force: Force = False,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer", "-t", metavar="FILE", help="Also report token lengths.", show_default="none"
        ),
    ] = None,
    max_tokens: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Report how many sequences have more tokens; may be given again.",
            show_default="the paper's",
        ),
    ] = None,
    *,
    loci: LocusOptions,
    labels: LabelOptions,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    threads: Threads = None,
    report: ReportOptions,
) -> None:
    """Find rows of one locus within and across splits, and report balance and lengths."""
    from genotok.corpus.verdict import BASES, known_symbols
    from genotok.gue import audit, find_tasks

    start = time.perf_counter()
    loaded = load_tokenizer(tokenizer) if tokenizer else None
    known = known_symbols(loaded, uppercase=True) if loaded else BASES
    tasks = find_tasks(folders, task or [], labels)
    found: list[dict[str, Any]] = []
    tables: list[tuple[str, GueSet | None, Audit]] = []
    inputs: dict[str, Any] = {}
    target = output_file(output, AUDIT, force=force) if output else nullcontext()
    with target as file:
        for one in tasks:
            if not report.quiet:
                note(f"auditing {one.name}")
            splits, classes = one.read(known, allow_unknown)
            for split in splits.values() if not report.quiet else ():
                note_unknown(split.symbols, split.unknown, of=split.path)
                if split.note:
                    note(f"{split.path}: {split.note}")
            before = time.perf_counter()
            result = audit(
                splits,
                classes,
                count_tokens=loaded.count_tokens if loaded else None,
                max_tokens=max_tokens or _limits(one),
                loci=loci,
                threads=threads,
            )
            seconds = round(time.perf_counter() - before, 3)
            found.append({"name": one.name, "seconds": seconds, **result.to_json()})
            if file:
                inputs[one.name] = _digests(splits)
            tables.append((one.name, one.known, result))
        if file:
            file.write(_record(found, inputs, loci, time.perf_counter() - start))
    for table in () if report.as_json or report.quiet else tables:
        print_audit(*table, file)
    if report.as_json:
        print_json({one["name"]: {key: one[key] for key in one if key != "name"} for one in found}, file)
    elif file and not report.quiet:
        note(f"record: {file.described}")


def _limits(task: Task) -> list[int]:
    """The paper's limit of tokens, if it is known."""
    return [task.known.settings.max_tokens] if task.known and task.known.settings else []


def _digests(splits: dict[str, LabelledSplit]) -> dict[str, str | None]:
    """The digests of the files of a set."""
    from genotok.files.identity import files_sha256

    return dict(zip(splits, files_sha256([split.path for split in splits.values()]), strict=True))


def _record(found: list[dict[str, Any]], inputs: dict[str, Any], loci: LocusOptions, seconds: float) -> bytes:
    """The record of all audits."""
    from genotok.run_records.machine import peak_memory
    from genotok.run_records.provenance import Provenance
    from genotok.run_records.schemas import AuditRecord

    record = AuditRecord(
        options=dataclasses.asdict(loci),
        sets=found,
        seconds=round(seconds, 3),
        peak_memory_bytes=peak_memory(),
        provenance=Provenance.now(inputs=inputs),
    )
    return record.text().encode()
