"""Dataclasses to JSON and back, strictly: keys, types, ranges; a checksum tells of changes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from genotok.dataset.earlier_versions import with_current_keys

__all__ = ["from_line", "from_plain", "sum_of", "to_line", "to_plain"]

if TYPE_CHECKING:
    from collections.abc import Hashable

T = TypeVar("T")


def sum_of(body: dict[str, Any]) -> str:
    """The checksum of plain values: of their contents, not of how the text is laid out."""
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()


def to_plain(value: Any) -> Any:  # noqa: ANN401 - any dataclass, and what it holds
    """A dataclass as JSON has it; unlike `dataclasses.asdict` it copies nothing that is plain already."""
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    names = _names(cast("Hashable", type(value)))
    return value if names is None else {name: to_plain(getattr(value, name)) for name in names}


@cache
def _names(kind: type) -> tuple[str, ...] | None:
    """The fields of a dataclass; None for another type."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple(field.name for field in dataclasses.fields(kind))


def to_line(value: Any) -> str:  # noqa: ANN401 - any dataclass
    """A dataclass as a line of the journal, with its checksum."""
    text = json.dumps(to_plain(value))
    return f'{text[:-1]}, "sha256": "{hashlib.sha256(text.encode()).hexdigest()}"}}\n'


def from_line(kind: type[T], line: bytes, where: str) -> T:
    """A line of the journal; one of an earlier version may have no checksum and other keys.

    Raises:
        ValueError: It has another form, or was altered.
    """
    body = json.loads(line)
    expected = body.pop("sha256", None) if isinstance(body, dict) else None
    found = from_plain(kind, with_current_keys(body), where)
    if expected is not None and expected != sum_of(body):
        raise ValueError(f"{where}: its checksum differs")
    return found


def from_plain(kind: type[T], value: object, where: str) -> T:
    """`value`, parsed from JSON, as a dataclass or a simple type.

    Raises:
        ValueError: It has another form; says where.
    """
    made: Any
    if dataclasses.is_dataclass(kind):
        return typing.cast("T", _record(kind, value, where))
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        made = None if value is None else from_plain(inner[0], value, where)
    elif origin is tuple:
        made = tuple(
            from_plain(inner[0], item, f"{where}[{i}]") for i, item in enumerate(_of(list, value, where))
        )
    elif origin is dict:
        items = _of(dict, value, where).items()
        made = {key: from_plain(inner[1], item, f"{where}.{key[:40]}") for key, item in items}
    elif kind is int:
        made = _of(int, value, where)
        if isinstance(value, bool) or not 0 <= made < 1 << 63:
            raise ValueError(f"{where} is no number from 0 to 2^63")
    else:
        made = value if kind is typing.cast("Any", Any) else _of(kind, value, where)
    return typing.cast("T", made)


def _record(kind: Any, value: object, where: str) -> object:  # noqa: ANN401
    """`value` as a dataclass: exactly its keys."""
    given = _of(dict, value, where)
    hints, optional = _fields(kind)
    if missing := [name for name in hints if name not in given and name not in optional]:
        raise ValueError(f"{where}.{missing[0]} is missing")
    if strange := [name for name in given if name not in hints]:
        raise ValueError(f"{where}.{strange[0][:40]} is not known")
    return kind(
        **{
            name: from_plain(hint, given[name], f"{where}.{name}")
            for name, hint in hints.items()
            if name in given
        }
    )


@cache
def _fields(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:  # noqa: ANN401
    """The types of the fields of a dataclass, and those that may be missing; once for all shards."""
    optional = (field.name for field in dataclasses.fields(kind) if field.default is not dataclasses.MISSING)
    return typing.get_type_hints(kind), frozenset(optional)


def _of(kind: type, value: object, where: str) -> Any:  # noqa: ANN401
    """`value`, if it is of this type."""
    if not isinstance(value, kind):
        raise ValueError(f"{where} is {type(value).__name__}, where {kind.__name__} is expected")  # noqa: TRY004
    return value
