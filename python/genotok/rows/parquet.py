"""How many rows a Parquet file says that it has: what is damaged there is an error, and no row is dropped.

The numbers stand in the footer: of the file, of each row group, and of each column's values. pyarrow passes
on what it finds, negative numbers too, and of a column that says it has no values it reads none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData

__all__ = ["rows_of_groups"]


def rows_of_groups(footer: FileMetaData) -> list[int]:
    """The number of rows of each row group.

    Raises:
        ValueError: A number is negative, or they are not those of the file.
    """
    rows = [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]
    for number, count in enumerate(rows):
        if count < 0:
            raise ValueError(f"row group {number} has a negative number of rows")
    if sum(rows) != footer.num_rows:
        raise ValueError(f"row groups of {sum(rows):,} rows, where the file says {footer.num_rows:,}")
    return rows
