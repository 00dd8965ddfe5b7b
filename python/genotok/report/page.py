"""The page: sections in one template, with a policy that allows nothing but what is in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from genotok import __version__
from genotok.errors import ArgumentError
from genotok.report.sections import KINDS, OVERVIEWS
from genotok.webpage import FRAME_STYLE, policy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from genotok.report.records import FoundRecord
    from genotok.report.tables import Section
    from genotok.report.tokens import TokenView

__all__ = ["KINDS", "MAX_DETAILED", "Page", "make_page", "page"]

DEFAULT_TITLE = "Tokenizers on evidence"
MODELS_TITLE = "Training and results"
"""The titles of a page of several kinds of records, and of one of models alone."""

OF_MODELS = frozenset({"Tokenizers as models", "Fine-tuning", "Pre-training", "Model", "Encoded sequences"})

MAX_DETAILED, MAX_SECTIONS = 8, 50
"""Records of a kind that get a section of their own: if all of the kind have an overview, and if not."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and what is on it.

    Attributes:
        html: The page.
        shown: Records that it shows.
        left_out: Files that it names as not shown, each with the reason.
    """

    html: str
    shown: int
    left_out: tuple[tuple[str, str], ...]


def page(found: Sequence[FoundRecord], *, view: TokenView | None = None, title: str | None = None) -> str:
    """The page of these records, as HTML: see `make_page`."""
    return make_page(found, view=view, title=title).html


def make_page(
    found: Sequence[FoundRecord], *, view: TokenView | None = None, title: str | None = None
) -> Page:
    """The page of these records.

    Args:
        found: The records; those of unknown kinds are listed as not shown.
        view: A sequence under several tokenizers, shown first.
        title: The page's title; None for one that says what is shown.

    Raises:
        ArgumentError: There is nothing to show; or a record that was named lacks what its kind must have,
            with its file and what is missing.
    """
    known = [each for each in found if each.kind in KINDS and not each.why]
    sections, faults = _sections(known)
    left_out = (*((each.name, _reason(each)) for each in found if each not in known), *faults)
    if not sections and not view:
        first = next((each for each in found if each.is_fault), found[0])
        raise ArgumentError(
            first.why if first.is_fault else f"{first.path}: nothing to show: {_reason(first)}"
        )
    html = _rendered(
        title=title or _title(sections),
        sections=sections,
        left_out=left_out,
        view=view,
        is_long=len(sections) + bool(view) > 1,
        says_it_all=len(sections) == 1 and not view and title is None,
    )
    return Page(html, len(known) - len(faults), left_out)


def _sections(known: Sequence[FoundRecord]) -> tuple[list[Section], list[tuple[str, str]]]:
    """The sections in the order of the kinds, and the records that could not be shown."""
    sections: list[Section] = []
    faults: list[tuple[str, str]] = []
    makers: dict[Callable[[FoundRecord], Section], list[FoundRecord]] = {}
    for each in sorted(known, key=lambda each: list(KINDS).index(each.kind)):
        makers.setdefault(KINDS[each.kind], []).append(each)
    for make, records in makers.items():
        whole: list[FoundRecord] = []
        detailed: list[Section] = []
        most = MAX_DETAILED if make in OVERVIEWS else MAX_SECTIONS
        for each in records:
            try:
                if len(detailed) < most:
                    detailed.append(_guarded(each, make))
                whole.append(each)
            except ArgumentError as error:
                if each.is_given or len(known) == 1:
                    raise
                faults.append((each.name, str(error).removeprefix(f"{each.path}: ")))
        if len(whole) > 1 and make in OVERVIEWS:
            sections.append(_overview(whole, make, faults))
        sections += detailed
        if (left := len(whole) - len(detailed)) > 0:
            note = (
                f"{left:,} more records of this kind have no section; name their folders for a page of them."
            )
            sections[-1] = replace(sections[-1], caveats=(*sections[-1].caveats, note))
    return sections, faults


def _overview(
    whole: list[FoundRecord], make: Callable[[FoundRecord], Section], faults: list[tuple[str, str]]
) -> Section:
    """The overview of a kind; only if it fails, the records without a section are tried one by one."""
    try:
        return _guarded(whole[0], lambda _: OVERVIEWS[make](whole))
    except ArgumentError:
        checked = whole[:MAX_DETAILED]
    for each in whole[MAX_DETAILED:]:
        try:
            _guarded(each, make)
            checked.append(each)
        except ArgumentError as error:
            if each.is_given:
                raise
            faults.append((each.name, str(error).removeprefix(f"{each.path}: ")))
    return OVERVIEWS[make](checked)


def _guarded(found: FoundRecord, make: Callable[[FoundRecord], Section]) -> Section:
    """What `make` makes of a record, or an error that names its file."""
    try:
        return make(found)
    except (KeyError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else " ".join(str(error).split())[:300]
        raise ArgumentError(
            f"{found.path}: a damaged record, or not one of the kind '{found.kind}': {what}"
        ) from error


def _reason(found: FoundRecord) -> str:
    """Why a record is not shown."""
    if found.why:
        return found.why.removeprefix(f"{found.path}: ")
    if found.kind:
        return f"of the kind “{found.kind}”, which this page does not know"
    return "which does not say what it is"


def _title(sections: Sequence[Section]) -> str:
    """A title that says what is shown."""
    if len(sections) == 1:
        return f"{sections[0].title}: {sections[0].source}"
    titles = {section.title.partition(":")[0] for section in sections}
    if len(titles) == 1:
        return titles.pop()
    return MODELS_TITLE if titles and titles <= OF_MODELS else DEFAULT_TITLE


def _rendered(**content: object) -> str:
    """The template with this content."""
    source = files("genotok.report") / "templates"
    style, script = ((source / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    style = FRAME_STYLE + style
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((source / "page.html.jinja").read_text(encoding="utf-8"))
    return template.render(
        version=__version__,
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704  the package's own file
        script=Markup(script),  # noqa: S704  likewise
        drawing=Markup,  # made by `svg.inline`, which escapes every name
        **content,
    )
