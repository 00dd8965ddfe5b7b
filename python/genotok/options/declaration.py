"""How an option is declared, and groups made from keywords."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_type_hints, overload

from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "LABELS",
    "LOCI",
    "MAX_NUMBER",
    "MODEL",
    "OUTPUT",
    "ROWS",
    "RUN",
    "SYMBOLS",
    "Option",
    "check_numbers",
    "declared",
    "grouped",
]

MODEL = "Model"
LABELS = "Labels"
LOCI = "Loci"
ROWS = "Rows"
SYMBOLS = "Symbols"
OUTPUT = "Output"
RUN = "Run"

MAX_NUMBER = (1 << 63) - 1
"""The largest number that the native module takes."""

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


class Option(NamedTuple):
    """How the command line shows a field of an option group.

    Attributes:
        help: What the option does, as one sentence or two.
        flags: How it is written; empty for `--` and the field's name.
        metavar: What its value is called; None for a flag or a choice.
        panel: The panel of the help page; None for the first.
        min: The least value allowed.
        max: The largest value allowed.
        default: What holds without the option, where the field's default does not say it.
        is_amount: Whether the value may have a unit, such as `500M`.
        separator: What separates the values of a `tuple`; empty where the option is repeated instead.
    """

    help: str
    flags: tuple[str, ...] = ()
    metavar: str | None = None
    panel: str | None = None
    min: float | None = None
    max: float | None = None
    default: str | None = None
    is_amount: bool = False
    separator: str = ""


def declared(group: type[Any]) -> dict[str, tuple[Any, Option | None]]:
    """The fields of a group, in order: the type of each, and how the command line shows it."""
    found: dict[str, tuple[Any, Option | None]] = {}
    for name, hint in get_type_hints(group, include_extras=True).items():
        notes = getattr(hint, "__metadata__", ())
        kind = hint.__origin__ if notes else hint
        found[name] = kind, next((note for note in notes if isinstance(note, Option)), None)
    return found


def check_numbers(group: object) -> None:
    """Check the whole numbers of a group against the least that they are declared with.

    Raises:
        ArgumentError: A number is out of range.
    """
    for name, (_, option) in declared(type(group)).items():
        number = getattr(group, name)
        if (
            option
            and option.min is not None
            and type(number) is int
            and not option.min <= number <= MAX_NUMBER
        ):
            raise ArgumentError(f"{name}={number}: a number from {option.min} to {MAX_NUMBER:,} is expected")


@overload
def grouped(function: str, given: Mapping[str, Any], first: type[A], /) -> tuple[A]: ...
@overload
def grouped(function: str, given: Mapping[str, Any], first: type[A], second: type[B], /) -> tuple[A, B]: ...
@overload
def grouped(
    function: str, given: Mapping[str, Any], first: type[A], second: type[B], third: type[C], /
) -> tuple[A, B, C]: ...
@overload
def grouped(
    function: str,
    given: Mapping[str, Any],
    first: type[A],
    second: type[B],
    third: type[C],
    fourth: type[D],
    /,
) -> tuple[A, B, C, D]: ...
def grouped(function: str, given: Mapping[str, Any], /, *groups: type[Any]) -> tuple[Any, ...]:
    """The keywords of a call as instances of groups, each of which takes those that are its fields.

    Raises:
        TypeError: A keyword is of no group; it names the function, as Python does.
    """
    left = dict(given)
    made = []
    for group in groups:
        names = group.__dataclass_fields__
        made.append(group(**{name: left.pop(name) for name in given if name in names}))
    for name in left:
        raise TypeError(f"{function}() got an unexpected keyword argument '{name}'")
    return tuple(made)
