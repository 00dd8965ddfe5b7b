"""What speaks Arrow, of whatever library."""

from typing import Protocol

__all__ = ["ArrowArray", "ArrowStream"]


class ArrowArray(Protocol):
    """Arrow data in one piece, of whatever library: `pyarrow.Array`, ..."""

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...


class ArrowStream(Protocol):
    """Arrow data in pieces, of whatever library: `pyarrow.ChunkedArray`, `polars.Series`, ..."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...
