"""Modules that need packages of an extra: loaded when their command runs, or the extra is named."""

from importlib import import_module
from typing import Any

from genotok.errors import ArgumentError

__all__ = ["from_extra"]


def from_extra(module: str, command: str, extra: str) -> Any:
    """The module `genotok.MODULE`, which needs the packages of an extra.

    Raises:
        ArgumentError: A package is not installed; names it, the command that needs it, and the extra.
    """
    try:
        return import_module(f"genotok.{module}")
    except ImportError as error:
        missing = _missing(error)
        if missing == "genotok":
            raise
        what = f"{missing}, which is" if missing else "packages that are"
        raise ArgumentError(f"{command} needs {what} not installed: pip install 'genotok[{extra}]'") from None


def _missing(error: BaseException | None) -> str:
    """The package that could not be imported; "" if nothing says so.

    A library that imports in its own way may raise an error without a name, on top of one that has it.
    """
    while error is not None:
        if isinstance(error, ImportError) and error.name:
            return error.name.partition(".")[0]
        error = error.__cause__ or error.__context__
    return ""
