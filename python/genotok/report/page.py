"""The page: sections in one template, with a policy that allows nothing but what is in it."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from genotok import __version__
from genotok.errors import ArgumentError
from genotok.report.comparison import comparison_section
from genotok.report.encoders import memory_section, speed_section, training_section
from genotok.report.gue import gue_section
from genotok.report.inputs import inputs_section
from genotok.report.shards import cluster_section, shards_section
from genotok.report.speeds import encode_section, pytest_section, studies_section, train_section
from genotok.report.studies import study_section

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from genotok.report.records import Found
    from genotok.report.tables import Section
    from genotok.report.tokens import TokenView

__all__ = ["KINDS", "page"]

KINDS: dict[str, Callable[[Found], Section]] = {
    "study": study_section,
    "train": train_section,
    "train-quick": train_section,
    "train-given": train_section,
    "encode": encode_section,
    "encode-quick": encode_section,
    "encode-given": encode_section,
    "encoder-memory": memory_section,
    "encoder-speed": speed_section,
    "encoder-gpu": speed_section,
    "pretraining": training_section,
    "inputs": inputs_section,
    "shards-pack": shards_section,
    "shards-large": shards_section,
    "shards-ray": shards_section,
    "cluster": cluster_section,
    "gue": gue_section,
    "models": comparison_section,
    "models-gpu": comparison_section,
    "pytest": studies_section,
    "pytest-large": studies_section,
    "pytest-smoke": studies_section,
    "pytest-benchmark": pytest_section,
}
"""Kinds of records, and what makes a section of each, in the order of the page."""

MARKS = "●■▲◆▼✚"
"""The markers of the plots, as letters for the legend."""


def page(
    found: Sequence[Found], *, view: TokenView | None = None, title: str = "Tokenizers on evidence"
) -> str:
    """The page of these records, as HTML.

    Args:
        found: The records; those of unknown kinds are listed as not shown.
        view: A sequence under several tokenizers, shown first.
        title: The page's title.

    Raises:
        ArgumentError: A record lacks what its kind must have; names the file and what is missing.
    """
    order = list(KINDS)
    known = sorted((each for each in found if each.kind in KINDS), key=lambda each: order.index(each.kind))
    source = files("genotok.report") / "templates"
    style, script = ((source / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((source / "page.html.jinja").read_text(encoding="utf-8"))
    return template.render(
        title=title,
        version=__version__,
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704  the package's own file
        script=Markup(script),  # noqa: S704  likewise
        drawing=Markup,  # made by `svg.inline`, which escapes every name
        marks=MARKS,
        sections=[_section(each) for each in known],
        left_out=[each for each in found if each.kind not in KINDS],
        view=view,
    )


def _section(found: Found) -> Section:
    """The section of a record, or an error that names its file."""
    try:
        return KINDS[found.kind](found)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ArgumentError(
            f"{found.path}: a damaged record, or not one of the kind '{found.kind}': {what}"
        ) from error


def _policy(style: str, script: str) -> str:
    """The content-security policy: this style and this script by their hashes, an empty icon, no more."""
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (style, script)
    ]
    return (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
