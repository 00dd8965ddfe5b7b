"""Settings of runs: frozen dataclasses, filled from a TOML preset and single changes, and validated."""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from importlib.resources import files
from typing import Any, Literal, TypeVar

from genotok.errors import ArgumentError
from genotok.files.reading import open_reading

if typing.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["at_least", "configured", "from_texts", "preset", "presets", "share"]

Config = TypeVar("Config")


def presets(package: str) -> list[str]:
    """The names of the presets that come with a package."""
    place = files(package).joinpath("presets")
    return sorted(one.name.removesuffix(".toml") for one in place.iterdir() if one.name.endswith(".toml"))


def preset(package: str, name: str) -> dict[str, Any]:
    """A preset: the name of one that comes with a package, or the path of a TOML file.

    Raises:
        ArgumentError: There is none of that name, or it is not TOML.
        OSError: A file cannot be read.
    """
    if name.endswith(".toml"):
        with open_reading(name) as file:
            data = file.read()
    elif name in presets(package):
        data = files(package).joinpath("presets", f"{name}.toml").read_bytes()
    else:
        known = ", ".join(presets(package))
        raise ArgumentError(f"preset={name}: one of {known}, or a file in .toml, is expected")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArgumentError(f"{name}: not TOML: {error}") from None


def from_texts(changes: Iterable[str]) -> dict[str, Any]:
    """`key=value` strings as a dictionary; values as in TOML, a bare word is a string. Keys may have dots.

    Raises:
        ArgumentError: One is not of that form.
    """
    found: dict[str, Any] = {}
    for change in changes:
        key, sign, value = (part.strip() for part in change.partition("="))
        if not sign or not all(part.isidentifier() for part in key.split(".")):
            raise ArgumentError(f"set={change}: key=value is expected, such as steps=500")
        try:
            found[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[key] = value
    return found


def configured(kind: type[Config], *layers: Mapping[str, Any]) -> Config:
    """A configuration with the values of all layers; later layers override earlier ones.

    Raises:
        ArgumentError: A key is not a field, or a value is of another type or out of range.
    """
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if key not in hints:
                raise ArgumentError(f"{key}: no such setting; they are: {', '.join(hints)}")
            values[key] = _as(hints[key], key, value)
    missing = [
        field.name
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        if field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        and field.name not in values
    ]
    if missing:
        raise ArgumentError(f"{', '.join(missing)}: no value is given")
    return kind(**values)


def at_least(name: str, value: float, least: float) -> None:
    """An error unless a number is at least `least`."""
    if not value >= least:
        raise ArgumentError(f"{name}={value}: a number of at least {least} is expected")


def share(name: str, value: float, *, open_end: bool = True) -> None:
    """An error unless a number is from 0 to below 1, or to 1."""
    if not (0 <= value < 1 or (value == 1 and not open_end)):
        raise ArgumentError(f"{name}={value}: a share from 0 to {'below ' if open_end else ''}1 is expected")


def _as(hint: Any, key: str, value: Any) -> Any:
    """A value in the type of its field; an integer may stand for a float, a list for a tuple."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        if value in arguments:
            return value
        raise ArgumentError(f"{key}={value!r}: one of {', '.join(map(str, arguments))} is expected")
    if origin in {typing.Union, types.UnionType}:
        inner = next(one for one in arguments if one is not type(None))
        return None if value is None or value == "none" else _as(inner, key, value)
    if origin is tuple:
        several = value if isinstance(value, list | tuple) else [value]
        return tuple(_as(arguments[0], key, one) for one in several)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    raise ArgumentError(f"{key}={value!r}: a value of type {hint.__name__} is expected")
