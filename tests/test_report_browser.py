"""The report in a real browser: opens without errors or requests, sorts, fits a phone, prints."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from genotok import Tokenizer
from genotok.report import page, read_records, token_view
from genotok.study import Subject, named_kmers
from tests.support.browser import Browser, chromium, opened
from tests.support.records import HOSTILE, write_records
from tests.support.run_folders import write_comparison, write_finetuning, write_pretraining

PROGRAM = chromium()
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium here; Debian has it as the package chromium"
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of one record of each kind, under hostile names."""
    folder = tmp_path_factory.mktemp("report")
    write_records(folder / "records")
    subjects = [Subject.of(HOSTILE, Tokenizer.kmer(3, overlap=False)), named_kmers("kmer:6")]
    view = token_view("ACGTTGCATN" * 12, subjects)
    path = folder / "report.html"
    path.write_text(page(read_records([str(folder / "records")]), view=view), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of a comparison, a fine-tuning, a pre-training."""
    folder = tmp_path_factory.mktemp("runs")
    places = [write_comparison(folder / "compared"), write_finetuning(folder / "results")]
    places += [write_pretraining(folder / "model")]
    path = folder / "report.html"
    path.write_text(page(read_records(list(map(str, places)))), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The page, open."""
    with opened(report, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


COLUMN = (
    "[...document.querySelectorAll('#section-2 tbody tr')].map(row => Number(row.cells[3].dataset.value))"
)
HEAD = "document.querySelectorAll('#section-2 th')[3]"


def test_it_opens_without_a_word_and_asks_for_nothing(browser: Browser, report: Path) -> None:
    assert browser.complaints == []
    assert browser.requests_beside(report) == []
    assert browser.evaluate("document.title") == "Tokenizers on evidence"


def test_names_stay_text(browser: Browser) -> None:
    assert browser.evaluate("window.broken === undefined")
    assert browser.evaluate(f"document.body.innerText.includes({HOSTILE!r})")
    assert browser.evaluate("document.querySelectorAll('script').length") == 1


def test_the_policy_holds(browser: Browser) -> None:
    """A script, a style and a picture that are put into the page do nothing."""
    before = len(browser.complaints)
    browser.evaluate(
        "{const s = document.createElement('script'); s.textContent = 'window.broken = 1';"
        "document.body.append(s);"
        'const d = document.createElement(\'div\'); d.innerHTML = \'<p style="color: red" id="styled">x</p>'
        '<img src="http://example.org/x.png">\'; document.body.append(d)}'
    )
    browser.evaluate("new Promise(done => setTimeout(done, 100))")
    assert browser.evaluate("window.broken === undefined")
    assert browser.evaluate("getComputedStyle(document.getElementById('styled')).color") != "rgb(255, 0, 0)"
    assert len(browser.complaints) > before
    browser.evaluate("document.body.lastChild.remove(); document.body.lastChild.remove()")


def test_tables_sort_by_mouse_and_keyboard(browser: Browser) -> None:
    assert browser.evaluate(f"{HEAD}.getAttribute('aria-sort')") == "none"
    browser.evaluate(f"{HEAD}.querySelector('button').click()")
    rising = browser.evaluate(COLUMN)
    assert rising == sorted(rising)
    assert len(set(rising)) > 1
    assert browser.evaluate(f"{HEAD}.getAttribute('aria-sort')") == "ascending"
    browser.evaluate(f"{HEAD}.querySelector('button').focus()")
    browser.press("Enter")
    assert browser.evaluate(COLUMN) == rising[::-1]
    assert browser.evaluate(f"{HEAD}.getAttribute('aria-sort')") == "descending"
    browser.evaluate("document.querySelectorAll('#section-2 th')[0].querySelector('button').click()")
    assert browser.evaluate(f"{HEAD}.getAttribute('aria-sort')") == "none"


def test_missing_figures_stay_last(browser: Browser) -> None:
    heads = "[...document.querySelectorAll('#section-1 table')][1].querySelectorAll('th')"
    column = "[...document.querySelectorAll('#section-1 table')][1].tBodies[0].rows"
    for _ in range(2):
        browser.evaluate(f"{heads}[5].querySelector('button').click()")
        assert browser.evaluate(f"[...{column}].map(row => row.cells[5].dataset.value).pop()") == ""


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_sticks_out_of_the_screen(browser: Browser, width: int) -> None:
    """What is wider than its place scrolls in it; no text of a plot is too small to read."""
    browser.screen(width, 800)
    browser.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    out = browser.evaluate(
        "[...document.querySelectorAll('main *, header *')].filter(e => !e.closest('.scroll'))"
        f".filter(e => e.getBoundingClientRect().right > {width} + 0.5).map(e => e.outerHTML.slice(0, 80))"
    )
    assert out == []
    tiny = browser.evaluate(
        "[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height)"
        ".filter(h => h > 0 && h < 7).length"
    )
    assert tiny == 0


def test_light_and_dark(browser: Browser) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "getComputedStyle(document.querySelector('svg text')).fill"
    seen = set()
    for scheme in ("light", "dark"):
        browser.screen(1200, 900, scheme=scheme)
        seen.add((browser.evaluate(ground), browser.evaluate(ink)))
    browser.screen(1200, 900)
    assert len(seen) == 2
    assert len({part for pair in seen for part in pair}) == 4


def test_it_prints_and_can_be_pictured(browser: Browser) -> None:
    printed = base64.b64decode(browser.call("Page.printToPDF", printBackground=True)["data"])
    assert printed.startswith(b"%PDF")
    picture = base64.b64decode(browser.call("Page.captureScreenshot")["data"])
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000


@pytest.mark.parametrize("width", [390, 1280])
def test_runs_fit_the_screen(browser: Browser, runs: Path, width: int) -> None:
    """On a wide screen no table of runs has to be scrolled; on a phone the caption of none is cut."""
    before = len(browser.complaints)
    browser.screen(width, 800)
    browser.open(runs)
    assert browser.complaints[before:] == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    browser.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    cut = (
        "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
        ".map(e => e.ariaLabel)"
        if width > 1000
        else "[...document.querySelectorAll('caption span')]"
        f".filter(e => e.getBoundingClientRect().right > {width}).map(e => e.innerText)"
    )
    assert browser.evaluate(cut) == []
    anchors = "[...document.querySelectorAll('nav a')]"
    assert browser.evaluate(f"{anchors}.every(a => document.querySelector(a.hash))")
    assert browser.evaluate(f"{anchors}.length") == 3
