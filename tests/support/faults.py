"""`make faults`: tries the fault matrix and writes its table into `docs/contributing/faults.md`."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.marked import write_marked
from tests.support.matrix import CASES, Matrix, Tally, titled
from tests.support.syscalls import KINDS, why_unsupported

PAGE = Path(__file__).resolve().parents[2] / "docs" / "contributing" / "faults.md"
FULL = "disk full"

Tallies = dict[tuple[str, bool, str], Tally]


def main() -> int:
    """Try what the arguments name; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="calls to try of each kind; 0 for all")
    parser.add_argument("--kinds", default=",".join([*KINDS, FULL]), help="kinds of faults")
    parser.add_argument("--commands", default=",".join(name for name in CASES if name != "gue fetch"))
    parser.add_argument("--no-table", action="store_true", help="leave the page as it is")
    given = parser.parse_args()
    if reason := why_unsupported():
        print(f"SKIPPED: {reason}")
        return 0
    found: Tallies = {}
    with tempfile.TemporaryDirectory() as folder:
        matrix = Matrix(Path(folder), sample=given.sample)
        for name, over, kind in trials(given.commands.split(","), given.kinds.split(",")):
            try:
                tally = matrix.full(name, over=over) if kind == FULL else matrix.tally(name, kind, over=over)
            except PermissionError as error:
                print(f"SKIPPED: {kind}: {error}", flush=True)
                continue
            found[name, over, kind] = tally
            print(f"{titled(name, over)}: {kind}: {cell(tally)}", flush=True)
            for failure in tally.failures:
                print(f"  {failure}", flush=True)
            if not given.no_table:
                write_page(found, given.sample)
    return int(any(tally.failures for tally in found.values()))


def trials(names: list[str], kinds: list[str]) -> Iterator[tuple[str, bool, str]]:
    """Each command, without an older output and over one, with each kind of fault."""
    for name in names:
        for over in (False, True) if CASES[name].older else (False,):
            for kind in kinds:
                yield name, over, kind


def cell(tally: Tally) -> str:
    """Tries, and how many of them were wrong."""
    return f"{tally.tries}, {len(tally.failures)}"


def write_page(found: Tallies, sample: int) -> None:
    """Write the table into the page, in place of the one before."""
    kinds = list(dict.fromkeys(kind for _, _, kind in found))
    rows = list(dict.fromkeys((name, over) for name, over, _ in found))
    lines = [f"| command | {' | '.join(kinds)} |", f"|---|{'---|' * len(kinds)}"]
    for name, over in rows:
        cells = [cell(found[key]) if (key := (name, over, kind)) in found else "" for kind in kinds]
        lines.append(f"| `{titled(name, over)}` | {' | '.join(cells)} |")
    sums = [Tally(tries=0) for _ in kinds]
    for (_, _, kind), tally in found.items():
        total = sums[kinds.index(kind)]
        total.tries += tally.tries
        total.failures += tally.failures
    lines.append(f"| all | {' | '.join(map(cell, sums))} |")
    calls = f"{sample} calls of each kind (first, last, and evenly spaced)" if sample else "every call"
    day = dt.datetime.now(tz=dt.UTC).date()
    tries, tolerated, aborted = (
        sum(getattr(one, key) for one in found.values()) for key in ("tries", "tolerated", "aborted")
    )
    command = f"`make faults SAMPLE={sample}`" if sample else "`make faults`"
    lines += ["", f"{command}, {day}: {calls}. Of {tries:,} tries, the command ended well in {tolerated:,}"]
    lines[-1] += f", and ended itself for want of memory in {aborted:,}."
    write_marked(PAGE, "faults", "\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
