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
        if error.name is not None and error.name.partition(".")[0] == "genotok":
            raise
        raise ArgumentError(
            f"{command} needs {error.name or extra}, which is not installed: pip install 'genotok[{extra}]'"
        ) from None
