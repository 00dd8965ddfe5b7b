"""The browse page in a real browser, and the command that writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from genotok import ArgumentError, Tokenizer
from genotok.browse import browse_page, write_page
from genotok.webpage import embedded
from tests.support.browser import Browser, chromium, opened
from tests.support.commands import run
from tests.support.foreign import added, document, texts
from tests.support.page import Page

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "tokenizers"
PROGRAM = chromium()
in_browser = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium here; Debian has it as the package chromium"
)

HOSTILE = [
    "</script><script>window.broken = 1</script>",
    "<!-- <script>",
    "\"'><img src=x onerror='window.broken = 1'>",
    "</textarea>&lt;&#60;",
    "\u202etxet\u2028\u2029\x00\x1b[31m",
    "`${window.broken = 1}`",
    "\U0001f9ec",
]
HOSTILE_NAME = '</title><script>window.broken = 1</script>"\u202e'


def hostile() -> Tokenizer:
    """A file whose special tokens try to leave the page's data."""
    made = document("ACGT", [("A", "C"), ("AC", "G")])
    vocab = made["model"]["vocab"]
    for token in HOSTILE:
        vocab[token] = len(vocab)
        made["added_tokens"].append(added(token, vocab[token]))
    return Tokenizer.from_json(json.dumps(made))


TOKENIZERS: dict[str, Tokenizer] = {
    "trained": Tokenizer.from_file(GOLDEN / "bpe.json"),
    "6-mers": Tokenizer.kmer(6),
    "canonical 3-mers": Tokenizer.kmer(3, overlap=False, canonical=True),
    HOSTILE_NAME: hostile(),
}


def as_typed(text: str) -> str:
    """A text as a text field holds it: all line ends are line feeds."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def set_text(text: str, mode: str = "sequence") -> str:
    """An expression that types a text and gives what the page shows of it, when it is done."""
    return (
        f"(async () => {{ find('mode').value = {json.dumps(mode)}; find('text').value = {json.dumps(text)};"
        " await update(); return state.results.map(({ encoding, why }) => why ?? [...encoding.ids]); })()"
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browse") / "browse.html"
    write_page(path, TOKENIZERS, "ACGTTGCANNacgt", title=HOSTILE_NAME)
    return path


@pytest.fixture(scope="module")
def browser(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The page, open."""
    with opened(page, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


# -- in a browser ------------------------------------------------------------------------------------


@in_browser
def test_it_opens_without_a_word_and_asks_for_nothing(browser: Browser, page: Path) -> None:
    assert browser.complaints == []
    assert browser.requests_beside(page) == []
    assert browser.evaluate("find('text').value") == "ACGTTGCANNacgt"


@in_browser
@settings(max_examples=6, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(batch=st.lists(texts.map(as_typed), min_size=50, max_size=60))
def test_typed_text_has_the_ids_of_encode(batch: list[str], browser: Browser) -> None:
    """At least 300 texts, under each tokenizer, through the text field of the page."""
    typed = ", ".join(f"() => {set_text(text, 'text')}" for text in batch)
    each = f"for (const one of [{typed}]) all.push(await one());"
    got = browser.evaluate(f"(async () => {{ const all = []; {each} return all; }})()")
    assert browser.evaluate("find('text').value") == batch[-1]
    for text, results in zip(batch, got, strict=True):
        for ids, tokenizer in zip(results, TOKENIZERS.values(), strict=True):
            if isinstance(ids, str):  # the hostile vocabulary has a token that is not ASCII
                assert "which this page does not carry out" in ids
                assert not text.isascii()
            else:
                assert ids == tokenizer.encode(text), text


@in_browser
def test_a_long_paste_is_encoded_without_a_freeze(browser: Browser) -> None:
    """100,000 bases; the page answers while it works, and shows a part."""
    sequence = "".join("ACGT"[number * number // 7 % 4] for number in range(100_000))
    got = browser.evaluate(set_text(">long\n" + sequence))
    assert got[:3] == [tokenizer.encode(sequence) for tokenizer in list(TOKENIZERS.values())[:3]]
    assert browser.evaluate("document.querySelectorAll('#blocks .block').length") == 12
    assert browser.evaluate("find('part').innerText") == "Symbols 1 to 360 of 100,000"
    assert browser.evaluate("find('status').innerText") == "100,000 bases in 1 FASTA record: long."
    browser.evaluate("find('part-go').value = 99999; find('part-go').dispatchEvent(new Event('change'))")
    assert "of 100,000" in browser.evaluate("find('part').innerText")
    assert browser.evaluate("find('blocks').innerText.includes('99,')")


@in_browser
def test_too_long_a_paste_is_refused_in_words(browser: Browser) -> None:
    browser.evaluate("(find('text').value = 'ACGT'.repeat(250001), update())")
    told = browser.evaluate("find('status').innerText")
    assert told.startswith("1,000,004 symbols: this page takes up to 1,000,000, so nothing is encoded.")
    assert browser.evaluate("find('blocks').innerText") == ""


@in_browser
def test_merges_are_shown_one_by_one(browser: Browser) -> None:
    text = "ACGTTGCATTTTACGA"
    browser.evaluate(set_text(text))
    steps = TOKENIZERS["trained"].explain(text)
    assert browser.evaluate("Number(find('step').max)") == len(steps) - 1
    line = "[...find('step-blocks').querySelectorAll('.t')].map(one => one.innerText)"
    for made, step in enumerate(steps):
        browser.evaluate(f"(find('step').value = {made}, find('step').dispatchEvent(new Event('input')))")
        assert browser.evaluate(line) == step["tokens"]
        told = browser.evaluate("find('step-text').innerText")
        assert told.startswith(f"{made} of {len(steps) - 1} merges")
        if made:
            assert f"rank {step['rank']}, {step['left']} + {step['right']} =" in told
    browser.evaluate("find('step-first').click()")
    assert browser.evaluate(line) == list(text)
    browser.evaluate(
        "(find('merge-tokenizer').value = 1, find('merge-tokenizer').dispatchEvent(new Event('change')))"
    )
    assert "no merges" in browser.evaluate("find('step-text').innerText")
    browser.evaluate(
        "(find('merge-tokenizer').value = 0, find('merge-tokenizer').dispatchEvent(new Event('change')))"
    )


@in_browser
def test_the_keyboard_chooses_tokens_and_finds_them(browser: Browser) -> None:
    text = "ACGTTGCATTTTACGA"
    browser.evaluate(set_text(text))
    ids = TOKENIZERS["trained"].encode(text)
    browser.evaluate("find('blocks').focus()")
    key = "find('blocks').dispatchEvent(new KeyboardEvent('keydown', { key: '%s', bubbles: true }))"
    for _ in range(2):
        browser.evaluate(key % "ArrowRight")
    assert f"token 2 of {len(ids)}" in browser.evaluate("find('token').innerText")
    assert f"id {ids[1]}," in browser.evaluate("find('token').innerText")
    browser.evaluate(key % "ArrowDown")
    assert browser.evaluate("find('token').innerText").startswith("B: token")
    browser.evaluate(key % "ArrowUp")
    browser.evaluate(key % "Enter")
    assert browser.evaluate("document.activeElement.id") == "search"
    assert browser.evaluate("find('found').tBodies[0].rows.length") == 1
    browser.evaluate("(find('search').value = '', showFound())")


@in_browser
def test_names_and_tokens_stay_text(browser: Browser) -> None:
    browser.evaluate(set_text("AC" + "G".join(HOSTILE), "text"))
    browser.evaluate("(find('search-tokenizer').value = 3, showFound())")
    assert browser.evaluate("window.broken === undefined")
    assert browser.evaluate("document.querySelectorAll('script').length") == 2
    assert browser.evaluate("document.querySelectorAll('img').length") == 0
    assert "</script><script>window.broken" in browser.evaluate("find('found').innerText")
    assert "\u202e" not in browser.evaluate("document.body.innerText")
    assert browser.evaluate("document.title").startswith("</title><script>window.broken")
    browser.evaluate("(find('search-tokenizer').value = 0, showFound())")


@in_browser
def test_the_policy_lets_nothing_out(browser: Browser) -> None:
    """Neither a request nor a script that is put in; nothing else in the page has said a word."""
    before = len(browser.complaints)
    assert before == 0
    sent = browser.evaluate(
        "fetch('https://example.org/?' + find('text').value).then(() => 'sent', () => 'refused')"
    )
    assert sent == "refused"
    browser.evaluate(
        "{const s = document.createElement('script'); s.textContent = 'window.broken = 1';"
        " document.body.append(s)}"
    )
    assert browser.evaluate("window.broken === undefined")
    assert len(browser.complaints) > before
    assert not any("example.org" in url for url in browser.requests)
    browser.evaluate("document.body.lastChild.remove()")


@in_browser
@pytest.mark.parametrize("width", [400, 900, 1500])
def test_nothing_sticks_out_of_the_screen(browser: Browser, width: int) -> None:
    browser.screen(width, 800)
    browser.evaluate(set_text("ACGTTGCATTTTACGA" * 40))
    browser.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    out = browser.evaluate(
        "[...document.querySelectorAll('main *, header *')].filter(e => !e.closest('.scroll'))"
        f".filter(e => e.getBoundingClientRect().right > {width} + 0.5).map(e => e.outerHTML.slice(0, 80))"
    )
    assert out == []


@in_browser
def test_controls_have_names_and_colours_contrast(browser: Browser) -> None:
    nameless = (
        "[...document.querySelectorAll('input, select, textarea, button')].filter(e => !(e.labels?.length"
        " || e.innerText || e.ariaLabel)).map(e => e.outerHTML)"
    )
    assert browser.evaluate(nameless) == []
    for scheme in ("light", "dark"):
        browser.screen(1200, 900, scheme=scheme)
        for selector in (".t.odd", ".t:not(.odd)", "#hint", ".controls button:not(:disabled)", "#token"):
            assert browser.evaluate(f"({CONTRAST})(document.querySelector({selector!r}))") >= 4.5, (
                scheme,
                selector,
            )


CONTRAST = """element => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(value => value / 255)
      .map(value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => getComputedStyle(one).backgroundColor;
  let below = element;
  while (below.parentElement && /rgba\\(.*, 0\\)/.test(ground(below))) below = below.parentElement;
  const [a, b] = [getComputedStyle(element).color, ground(below)].map(light);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


# -- without one -------------------------------------------------------------------------------------


def test_the_page_is_one_file_that_asks_for_nothing(page: Path) -> None:
    source = page.read_text(encoding="utf-8")
    made = Page(source)
    names = [name for name, _ in made.elements]
    assert names.count("script") == 2
    assert not {"iframe", "object", "embed", "img", "form", "base"} & set(names)
    assert not any(
        key in attributes for _, attributes in made.elements for key in ("src", "style", "onclick")
    )
    assert [attributes["href"] for _, attributes in made.elements if "href" in attributes] == ["data:,"]
    assert "http://www.w3.org/2000/svg" in source
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", source)
    policy = next(a["content"] for n, a in made.elements if n == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_data_cannot_leave_its_element() -> None:
    text = embedded({"a": HOSTILE, "b": "é\ud7ff"})
    assert text.isascii()
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": HOSTILE, "b": "é\ud7ff"}


def test_the_same_page_has_the_same_bytes() -> None:
    assert browse_page(TOKENIZERS) == browse_page(TOKENIZERS)


def large(merges: int) -> Tokenizer:
    """A tokenizer of so many merges: AA, CAA, GAA, ..., each a base in front of an earlier token."""
    pairs: list[tuple[str, str]] = []
    known = ["A", "C", "G", "T"]
    for number in range(merges):
        pairs.append(("ACGT"[number % 4], known[number // 4]))
        known.append("".join(pairs[-1]))
    return Tokenizer.from_json(json.dumps(document("ACGT", pairs)))


def test_the_size_of_the_page_is_bounded() -> None:
    """About 60 kB and twelve bytes per merge; a page of more than 32 MB is refused."""
    empty = len(browse_page({"bases": Tokenizer.kmer(1)}))
    assert empty < 70_000
    tokenizer = large(65_536)
    assert len(browse_page({"large": tokenizer})) - empty < 12 * 65_536
    with pytest.raises(ArgumentError, match="26 are expected, not 27"):
        browse_page({str(number): tokenizer for number in range(27)})
    with pytest.raises(ArgumentError, match="a page takes 1,000,000 characters at most; give a part"):
        browse_page({"large": tokenizer}, "A" * 1_000_001)


def test_too_large_a_page_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genotok.browse.page.MAX_PAGE_BYTES", 1_000)
    with pytest.raises(ArgumentError, match=r"name fewer tokenizers, or smaller ones \(genotok truncate\)"):
        browse_page({"bases": Tokenizer.kmer(1)})


# -- the command -------------------------------------------------------------------------------------


def data_of(path: Path) -> Any:
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', path.read_text(encoding="utf-8")
    )
    assert found is not None
    return json.loads(found[1])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a tokenizer in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((GOLDEN / "bpe.json").read_bytes())
    return tmp_path


def test_the_command_writes_a_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("browse", "tokenizer.json", "kmer:2:no-overlap", "ours=tokenizer.json", "acgtN") == 0
    data = data_of(folder / "browse.html")
    assert [each["name"] for each in data["tokenizers"]] == ["tokenizer", "kmer:2:no-overlap", "ours"]
    assert data["sequence"] == "acgtN"
    assert re.match(r"browse\.html: 3 tokenizers, [\d.]+ kB\n$", capsys.readouterr().out)


def test_the_default_is_the_tokenizer_of_the_folder(folder: Path) -> None:
    assert run("browse", "ACGT") == 0
    assert data_of(folder / "browse.html")["tokenizers"][0]["size"] == 64
    assert run("browse", "ACGT") == 0  # the same page may be there
    assert run("browse", "ACGTA") == 1
    assert run("browse", "ACGTA", "--force") == 0
    assert data_of(folder / "browse.html")["sequence"] == "ACGTA"


def test_a_sequence_is_read_from_standard_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "in.fa").write_text(">x\nACGT\n")
    with (folder / "in.fa").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert run("browse", "-", "-o", "page.html", "--json") == 0
    assert data_of(folder / "page.html")["sequence"] == ">x\nACGT\n"
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "output": "page.html",
        "bytes": (folder / "page.html").stat().st_size,
        "tokenizers": ["tokenizer"],
    }


def test_files_of_one_name_are_told_apart(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "tokenizer.json").write_bytes((GOLDEN / "plain.json").read_bytes())
    assert run("browse", "tokenizer.json", "other/tokenizer.json") == 0
    names = [each["name"] for each in data_of(folder / "browse.html")["tokenizers"]]
    assert names == ["tokenizer", "other/tokenizer.json"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.json"], "missing.json: no such tokenizer; train one with 'genotok train-bpe"),
        (["mytokenizer"], "mytokenizer: no such tokenizer; train one with 'genotok train-bpe"),
        (["ACGT", "GATTACA"], "ACGT and GATTACA: two sequences, or names of files that are not there"),
        (
            ["genome.fa"],
            "genome.fa: holds sequences, not a tokenizer; try: genotok browse tokenizer.json - < genome.fa",
        ),
        (["kmer:9"], "tokenizer=kmer:9: 'bases', or 'kmer:K' with K from 1 to 8"),
        (["bases", "bases"], "bases: is given twice; name one of them otherwise, as NAME=FILE"),
        (["codons.json"], "tokenizer=codons: its normalizer does more than replace single characters"),
        (["tokenizer.json", "-o", "tokenizer.json", "--force"], "tokenizer.json"),
    ],
)
def test_errors_say_what_to_do(
    arguments: list[str], told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "genome.fa").write_text(">x\nACGT\n")
    foreign = document("ACGT", []) | {
        "normalizer": {"type": "Strip", "strip_left": True, "strip_right": True}
    }
    (folder / "codons.json").write_text(json.dumps(foreign))
    assert run("browse", *arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("genotok: error: ")
    assert told in error
    assert not (folder / "browse.html").exists()
