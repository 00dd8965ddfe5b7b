"""Columns of tables in MultiQC reports: scales and formats by unit."""

from __future__ import annotations

from typing import Any

__all__ = ["MEGA", "SYMBOLS", "bases", "number", "percent", "whole"]

MEGA = 1e6

Column = dict[str, Any]

SYMBOLS: Column = {
    "ylab": "Symbols",
    "cpswitch_counts_label": "Number of symbols",
    "cpswitch_percent_label": "Percentages",
    "cpswitch_c_active": False,
    "tt_decimals": 0,
}
"""A bar graph of symbols by kind: percentages first, as samples differ in size."""


def bases(title: str, description: str, *, hidden: bool = False) -> Column:
    """A number of bases or symbols, given in Mb."""
    return {
        "title": title,
        "description": f"{description}, in Mb (10^6)",
        "min": 0,
        "suffix": " Mb",
        "format": "{:,.3f}",
        "scale": "Greens",
        "hidden": hidden,
    }


def whole(title: str, description: str, *, scale: str | bool, hidden: bool = False) -> Column:
    """A whole number; without a bar if `scale` is False."""
    return {
        "title": title,
        "description": description,
        "min": 0,
        "format": "{:,d}",
        "scale": scale,
        "hidden": hidden,
    }


def percent(title: str, description: str, *, scale: str, hidden: bool = False) -> Column:
    """A share, given as a percentage."""
    return {
        "title": title,
        "description": description,
        "min": 0,
        "max": 100,
        "suffix": "%",
        "format": "{:,.2f}",
        "scale": scale,
        "hidden": hidden,
    }


def number(
    title: str, description: str, *, scale: str, suffix: str = "", decimals: int = 2, hidden: bool = False
) -> Column:
    """A number with decimals."""
    return {
        "title": title,
        "description": description,
        "min": 0,
        "suffix": suffix,
        "format": f"{{:,.{decimals}f}}",
        "scale": scale,
        "hidden": hidden,
    }
