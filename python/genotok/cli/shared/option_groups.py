"""Option groups as options of the command line: what typer sees of a command that takes whole groups."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

import typer

from genotok.cli.shared.options import amount
from genotok.options.declaration import LOCI, OUTPUT, ROWS, RUN, SYMBOLS, declared

__all__ = ["expanded"]

PANELS = (None, "Model", OUTPUT, "Vocabulary", "Corpus", "Labels", LOCI, ROWS, SYMBOLS, "", RUN)
"""The order of the panels of a help page; those without a place stand where "" is."""

RUN_ORDER = ("resume", "report_to", "device", "address", "workers", "memory", "threads", "as_json", "quiet")
"""The order of the options of how a command runs; others stand before them."""


def expanded(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with the options of its groups in the place of parameters whose types are groups.

    The command is called with whole instances. A field without an `Option` keeps its default.
    """
    groups: dict[str, type[Any]] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        kind: Any = parameter.annotation
        if hasattr(kind, "__dataclass_fields__"):
            groups[parameter.name] = kind
            parameters += _parameters(kind)
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
    if not groups:
        return command

    def run(**given: object) -> None:
        for name, group in groups.items():
            given[name] = _instance(group, given)
        command(**given)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__signature__ = inspect.Signature(sorted(parameters, key=_place))  # type: ignore[attr-defined]
    return run


def _parameters(group: type[Any]) -> list[inspect.Parameter]:
    """What typer reads an option of each field from."""
    found = []
    fields = declared(group)
    for field in dataclasses.fields(group):
        kind, option = fields[field.name]
        if option is None:
            continue
        default: Any = inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
        if option.separator:
            kind, default = str, option.separator.join(map(str, default))
        elif get_origin(kind) is tuple:
            kind, default = list[str] | None, None
        shown = typer.Option(
            *(option.flags or (f"--{field.name.replace('_', '-')}",)),
            help=option.help,
            metavar=option.metavar,
            min=None if option.is_amount else option.min,
            max=option.max,
            parser=amount if option.is_amount else None,
            show_default=True if option.default is None else option.default,
            rich_help_panel=option.panel,
        )
        found.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=Annotated[kind, shown],
            )
        )
    return found


def _instance(group: type[Any], given: dict[str, Any]) -> object:
    """The group of the values given, which are taken out."""
    values = {}
    for name, (kind, option) in declared(group).items():
        if option is None:
            continue
        value = given.pop(name)
        if option.separator:
            value = tuple(part for part in value.split(option.separator) if part)
        elif get_origin(kind) is tuple:
            value = tuple(value or ())
        values[name] = value
    return group(**values)


def _place(parameter: inspect.Parameter) -> tuple[int, int]:
    """Where a parameter stands in the help pages."""
    info = next(iter(get_args(parameter.annotation)[1:]), None)
    panel = getattr(info, "rich_help_panel", None)
    within = RUN_ORDER.index(parameter.name) if panel == RUN and parameter.name in RUN_ORDER else -1
    return PANELS.index(panel if panel in PANELS else ""), within
