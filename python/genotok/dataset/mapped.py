"""Files in memory without a descriptor: a folder may have more shards than a process may have open files."""

import pyarrow as pa

__all__ = ["mapped"]


def mapped(path: str) -> pa.Buffer:
    """The bytes of a file, mapped for as long as somebody looks at them.

    Raises:
        OSError: It cannot be read.
    """
    with pa.memory_map(path) as file:
        return file.read_buffer()
