"""The tensors that a torch file of weights lists, found without running code of the file.

Such a file is an uncompressed zip archive of a pickle and of the bytes of each tensor. A pickle is a program:
torch refuses most of the functions it could call, but lets it create objects of any size. Here each name in
the pickle is bound to a function of this module that records a shape and allocates nothing. Opcodes and names
that tensors do not need are refused, and so is an archive that would decompress to more than the file's size.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genotok.files.reading import open_reading
from genotok.model.tensors import BYTES, MAX_DIMENSIONS, CheckpointError, Stored, are_sizes

__all__ = ["stored_in_pickle"]

MAX_PICKLE = 1 << 21
MAX_ENTRIES = 1 << 16
ZIP = b"PK\x03\x04"
HEAD = 30
"""Bytes of an entry's local header, without name and padding."""

STORAGES = {
    "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16", "DoubleStorage": "F64",
    "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8",
    "ByteStorage": "U8", "BoolStorage": "BOOL",
}  # fmt: skip

_NAMES = (
    "PROTO STOP MARK EMPTY_DICT EMPTY_LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 GLOBAL BINPERSID REDUCE "
    "BUILD SETITEM SETITEMS APPEND APPENDS BINPUT LONG_BINPUT BINGET LONG_BINGET BINUNICODE BININT BININT1 "
    "BININT2 LONG1 BINFLOAT NEWTRUE NEWFALSE NONE"
)
INSTRUCTIONS = frozenset(_NAMES.split())
"""The opcodes that `torch.save` writes."""


def stored_in_pickle(file: Path, size: int) -> dict[str, Stored]:
    """The tensors in a torch file of `size` bytes, by name.

    Raises:
        CheckpointError: The file is damaged, or holds more than tensors.
        OSError: It cannot be read.
    """
    with open_reading(file) as opened:
        if opened.read(len(ZIP)) != ZIP:
            raise CheckpointError(
                f"{file}: damaged, no file of weights, or of a torch before 1.6; "
                "save it again as safetensors if torch loads it"
            )
    try:
        with zipfile.ZipFile(file) as archive:
            text, parts = _parts(archive, size)
            _check_instructions(text)
            found = _Reader(text, parts).load()
    except _RefusedError as error:
        raise CheckpointError(
            f"{file}: holds more than tensors, or is damaged ({error}); "
            "refused, as loading it could run code in it"
        ) from None
    except Exception as error:  # noqa: BLE001 - what a damaged pickle makes Python stumble over is no fixed set
        reason = (str(error).splitlines() or [""])[0][:200]
        raise CheckpointError(f"{file}: damaged, or no file of weights ({reason})") from None
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and isinstance(one, Stored) for name, one in found.items()
    ):
        raise CheckpointError(
            f"{file}: a dictionary of names and tensors is expected, and it holds another object"
        )
    return dict(found)


class _RefusedError(Exception):
    """The file contains something that tensors do not need."""


def _parts(archive: zipfile.ZipFile, size: int) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """The pickle of an archive, and the start and length in bytes of each storage, by key."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES or sum(one.file_size for one in entries) > size:
        raise _RefusedError("its parts unfold to more than the file")
    if any(one.compress_type != zipfile.ZIP_STORED for one in entries):
        raise _RefusedError("its parts are compressed")
    pickles = [one for one in entries if one.filename.partition("/")[2] == "data.pkl"]
    if len(pickles) != 1 or pickles[0].file_size > MAX_PICKLE:
        raise _RefusedError("it has no list of tensors, or an endless one")
    root = pickles[0].filename.removesuffix("data.pkl") + "data/"
    parts = {
        one.filename.removeprefix(root): (_start(archive, one), one.file_size)
        for one in entries
        if one.filename.startswith(root)
    }
    if any(start + length > size for start, length in parts.values()):
        raise ValueError("a part ends behind the file")
    return archive.read(pickles[0]), parts


def _start(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """Where the bytes of an entry start in the file, after its local header, name and padding."""
    opened: Any = archive.fp
    opened.seek(entry.header_offset)
    head = opened.read(HEAD)
    if len(head) < HEAD or not head.startswith(ZIP):
        raise ValueError("a part has no head")
    start: int = entry.header_offset + HEAD + sum(struct.unpack("<HH", head[-4:]))
    return start


def _check_instructions(text: bytes) -> None:
    """Raise an error unless a pickle has only the opcodes of tensors, and memo indices within its length."""
    for code, argument, _ in pickletools.genops(text):
        if code.name not in INSTRUCTIONS or (code.name == "LONG_BINPUT" and int(argument or 0) > len(text)):
            raise _RefusedError(f"it has the instruction {code.name}")


class _Reader(pickle.Unpickler):
    """Runs a pickle with names that stand for shapes and dictionaries only."""

    def __init__(self, text: bytes, parts: dict[str, tuple[int, int]]) -> None:
        super().__init__(io.BytesIO(text))
        self.parts = parts

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name; created on each call, as a pickle may set its attributes."""
        ignored = {"__setstate__": lambda _self, _state: None}
        known = {
            ("collections", "OrderedDict"): type("Dictionary", (OrderedDict,), ignored),
            ("torch._utils", "_rebuild_tensor_v2"): lambda *given: _tensor(*given),  # noqa: PLW0108 - see above
            ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
        }
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if (module, name) not in known:
            raise _RefusedError(f"it asks for {str(module)[:40]}.{str(name)[:40]}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> tuple[str, tuple[int, int]]:
        """Type, start and count of the numbers in an entry of the archive."""
        kind, dtype, key, _, count = pid
        if kind != "storage" or dtype not in BYTES or not are_sizes([count]):
            raise _RefusedError("a tensor of unknown form")
        start, size = self.parts.get(key, (0, -1))
        if size != count * BYTES[dtype]:
            raise ValueError("a tensor has not the bytes that it should have")
        return dtype, (start, count)


def _tensor(
    storage: tuple[str, tuple[int, int]], offset: int, shape: Any, strides: Any, *_: object
) -> Stored:
    """A tensor within its storage; one that repeats numbers, and so would outgrow the file, is refused."""
    dtype, place = storage
    count = place[1]
    if not are_sizes(shape) or not are_sizes(strides) or not are_sizes([offset]):
        raise ValueError("a tensor has no shape")
    if len(shape) != len(strides) or len(shape) > MAX_DIMENSIONS:
        raise ValueError("a tensor has no shape")
    stored = Stored(dtype, tuple(shape), place)
    last = offset + sum((length - 1) * step for length, step in zip(shape, strides, strict=True))
    if stored.size > count or (stored.size and last >= count):
        raise ValueError("a tensor is larger than the numbers that it has")
    return stored
