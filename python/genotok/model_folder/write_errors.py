"""Errors of writing in libraries, as errors of the system that say where.

Python's own have no name where a write fails, unlike an opening. Those of torch and safetensors are of
classes of their own: safetensors gives the number of the error in its text. torch says that the file is
not as long as it should be (`inline_container.cc`, `unexpected pos 576 vs 534`), or that there was an
`iostream error`, and not why.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from genotok.files.reading import errors_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["write_errors"]

OF_TORCH = re.compile("inline_container|PytorchStreamWriter|iostream error")
MIN_FREE = 1 << 16
"""Bytes. A disk with less is full."""


@contextmanager
def write_errors(folder: Path) -> Iterator[None]:
    """Within the `with` statement a write into `folder` that fails is an `OSError`, whoever writes.

    Raises:
        OSError: A file cannot be written; names `folder`.
    """
    try:
        with errors_name(folder):
            yield
    except SafetensorError as error:
        found = re.search(r"\(os error (\d+)\)", str(error))
        number = int(found[1]) if found else _likely(folder)
    except RuntimeError as error:
        if not OF_TORCH.search(str(error)):
            raise
        number = _likely(folder)
    else:
        return
    raise OSError(number, os.strerror(number), os.fspath(folder))


def _likely(folder: Path) -> int:
    """The number of the error: a full disk, if it is one."""
    try:
        disk = os.statvfs(folder.parent)
    except OSError:
        return errno.EIO
    return errno.ENOSPC if disk.f_bavail * disk.f_frsize < MIN_FREE else errno.EIO
