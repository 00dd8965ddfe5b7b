"""Sequence files to one output: a file, a pair of them, or a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from genotok.dataset.writers import Counts, Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.dataset.plan import Plan, Reader
    from genotok.dataset.whole import Sink

__all__ = ["write_rows"]


def write_rows(plan: Plan, reader: Reader, sinks: Sequence[Sink]) -> Counts:
    """Write all rows of `reader` to `sinks`, which are committed at the end and else discarded."""
    with Output(plan, sinks, pa.schema(reader)) as output:
        for batch in reader:
            output.write(pa.record_batch(batch))
        output.commit()
    return output.counts
