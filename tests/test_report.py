"""The report: every kind of record, names that stay text, one self-contained file, errors that name."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genotok import ArgumentError, Tokenizer
from genotok.report import page, read_records, token_view
from genotok.report.plots import MAX_SERIES, Axis, Series, dots, lines
from genotok.report.tables import number
from genotok.run_records.reading import MAX_FILE
from genotok.study import Subject, named_kmers
from tests.support.page import Page
from tests.support.program import fails, names, run
from tests.support.records import DOLLARS, HOSTILE, all_records, write_records


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    write_records(folder)
    return folder


@pytest.fixture(scope="module")
def source(records: Path) -> str:
    view = token_view("GATTACAN" * 9, [Subject.of(HOSTILE, Tokenizer.kmer(3, overlap=False))])
    return page(read_records([str(records)]), view=view, title=f"A title {HOSTILE}")


# -- the page ---------------------------------------------------------------------------------------


def test_every_kind_has_its_section_and_the_others_are_named(source: str) -> None:
    text = Page(source).text
    for title in (
        "Tokenizers on genomes",
        "Training",
        "Encoding",
        "Encoder: memory",
        "Encoder: speed",
        "Speed studies",
        "pytest-benchmark",
        "Not shown",
        "Caveats",
        "odd.json, of the kind",
        "nameless.json, which does not say what it is",
        "the same reason for both",
        "it is not fair",
        "random weights",
    ):
        assert title in text


def test_names_stay_text(source: str) -> None:
    assert HOSTILE not in source
    parsed = Page(source)
    assert parsed.text.count(HOSTILE) > 10
    assert DOLLARS in parsed.text
    assert [tag for tag, _ in parsed.elements].count("script") == 1
    assert parsed.inside == []


def test_the_page_loads_nothing_and_says_so(source: str) -> None:
    parsed = Page(source)
    for tag, attributes in parsed.elements:
        assert tag not in {"img", "iframe", "object", "embed", "base", "form", "image"}
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href", "action"):
            value = attributes.get(name) or "#"
            assert value.startswith("#") or (tag, value) == ("link", "data:,")
    assert "url(http" not in source
    assert "@import" not in source


def test_the_policy_names_the_hashes_of_what_is_there(source: str) -> None:
    policy = next(
        attributes["content"]
        for tag, attributes in Page(source).elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_identifiers_are_there_once(source: str) -> None:
    parsed = Page(source)
    used = {(attributes.get("href") or "").removeprefix("#") for tag, attributes in parsed.elements}
    for part in re.findall(r'"url\(#(.+?)\)"', source):
        used.add(part)
    given_names = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert used - {""} <= {*given_names, "data:,"}
    sections = [name for name in given_names if name and name.startswith(("section", "left", "seq"))]
    assert len(sections) == len(set(sections))


def test_twice_the_same_records_are_twice_the_same_page(records: Path) -> None:
    assert page(read_records([str(records)])) == page(read_records([str(records)]))


def test_the_colours_can_be_read() -> None:
    """Contrast as WCAG 2 defines it: 4.5 for text, 3 for lines and markers, in light and in dark."""
    css = (files("genotok.report") / "templates" / "page.css").read_text(encoding="utf-8")

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        high, low = sorted((luminance(one), luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for scheme in re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]:
        colours = dict(re.findall(r"--([a-z0-9]+): (#[0-9a-f]{6})", scheme))
        for name in ("text", "dim", "link"):
            assert contrast(colours[name], colours["ground"]) >= 4.5, name
            assert contrast(colours[name], colours["panel"]) >= 4.5, name
        for token in ("one", "two"):
            assert contrast(colours["text"], colours[token]) >= 4.5
            assert contrast(colours["edge"], colours[token]) >= 3
        for series in range(1, 7):
            assert contrast(colours[f"s{series}"], colours["ground"]) >= 3, series


# -- plots and cells --------------------------------------------------------------------------------


def test_plots_are_text_and_keep_to_the_policy() -> None:
    plot = lines(
        f"caption {HOSTILE}",
        [Series(f"series {number}", [1, 10, 1000], [0.1, 1e-4, 1e-6]) for number in range(MAX_SERIES + 2)],
        Axis(f"rank {DOLLARS}", log=True),
        Axis("share", log=True),
    )
    assert plot.caption.endswith("(2 more are in the table)")
    assert len(plot.series) == MAX_SERIES
    assert "style=" not in plot.svg
    assert "<style" not in plot.svg
    assert HOSTILE not in plot.svg
    assert "10⁻⁶" in plot.svg
    assert "var(--s1)" in plot.svg
    assert "currentColor" in plot.svg
    assert not re.search(r"#0102[0-9a-f]{2}", plot.svg)
    assert DOLLARS.replace("&", "&amp;") in plot.svg


def test_a_name_in_any_script() -> None:
    plot = dots("bits", ["酵母", "ዓለም"], [Series("𝛼", [1, 2], [0, 1])], Axis("bits"))
    assert "酵母" in plot.svg


def test_dots_of_nothing() -> None:
    assert "<svg" in dots("empty", [], [], Axis("bits")).svg


def test_figures_are_written_as_people_do() -> None:
    assert number(None).text == "–"
    assert number(-1e-9, "{:.2f}").text == "0.00"
    assert number(-0.5, "{:.2f}").text == "-0.50"
    assert number(0.25, "{:.0f}", 100) == number(0.25, "{:.0f}", 100)
    assert number(0.25, "{:.0f}", 100).text == "25"


# -- a sequence under several tokenizers ------------------------------------------------------------


@given(
    st.text(alphabet="ACGTNacgt", min_size=1, max_size=100),
    st.lists(st.sampled_from(["bases", "kmer:3", "kmer:6", "kmer:3:no-overlap"]), min_size=1, max_size=3),
)
def test_every_line_holds_the_whole_sequence(sequence: str, chosen: list[str]) -> None:
    subjects = [named_kmers(name) for name in chosen]
    view = token_view(sequence, subjects)
    for place, subject in enumerate(subjects):
        pieces = [piece for block in view.blocks for piece in block.lines[place][1]]
        assert "".join(piece.text for piece in pieces) == sequence
        ids = subject.tokenizer.encode(sequence)
        assert view.rows[place].tokens == len(ids)
        shown = [piece for piece in pieces if piece.is_start and piece.title != "no token"]
        assert [int(piece.title.rpartition(" ")[2]) for piece in shown] == ids
        assert [piece.unknown for piece in shown] == [index == subject.unknown for index in ids]


@pytest.mark.parametrize("sequence", ["", "AC GT", "AC\n", ">x", "é", "A" * 3001])
def test_what_is_no_sequence(sequence: str) -> None:
    with pytest.raises(ArgumentError, match="sequence="):
        token_view(sequence, [named_kmers("bases")])


# -- records ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "damaged"),
        (b'{"kind": "study"', "damaged"),
        (b"[1]", "list"),
        (b'{"kind": "train", "x": NaN}', "NaN"),
        (b'{"a":' * 100_000, "damaged"),
        (b"\xff\xfe", "damaged"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, part: str) -> None:
    (tmp_path / "broken.json").write_bytes(content)
    with pytest.raises(ArgumentError, match=r"broken\.json.*" + part):
        read_records([str(tmp_path)])


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(ArgumentError, match=r"large\.json: has .* bytes; at most"):
        read_records([str(tmp_path)])


@pytest.mark.parametrize("name", sorted(set(all_records()) - {"odd.json", "nameless.json"}))
def test_a_record_that_lacks_something_is_named(tmp_path: Path, name: str) -> None:
    whole = all_records()[name]
    many = {"study.json": "measures", "pytest.json": "benchmarks", "gue.json": "sets"}.get(name, "cases")
    huge = {**whole, "seconds": 10**400}
    for broken in ({**whole, many: 3}, {**whole, many: [{"odd": 1}]}, {**whole, many: ["x"]}, huge):
        if broken is huge and name == "pytest.json":
            continue  # its own form has no such key
        (tmp_path / name).write_text(json.dumps(broken))
        with pytest.raises(ArgumentError, match=re.escape(name)):
            page(read_records([str(tmp_path)]))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(["study", "train", "encode", "encoder-memory", "encoder-speed", "gue", "pytest"]),
    json_values,
    json_values,
)
def test_any_json_is_shown_or_refused(tmp_path: Path, kind: str, first: Any, second: Any) -> None:
    record = {"kind": kind, "measures": first, "cases": second, "curves": second, "machine": first}
    record |= {"sets": second, "records": first}
    (tmp_path / "any.json").write_text(json.dumps(record))
    try:
        page(read_records([str(tmp_path)]))
    except ArgumentError as error:
        assert "any.json" in str(error)  # noqa: PT017


def test_pytest_benchmarks_machine_may_be_ours(tmp_path: Path) -> None:
    record = {**all_records()["pytest.json"], "machine_info": {"cpu": "AMD EPYC", "cores": 2}}
    (tmp_path / "pytest.json").write_text(json.dumps(record))
    assert "AMD EPYC" in page(read_records([str(tmp_path)]))


def test_control_characters_are_written_out(tmp_path: Path) -> None:
    record = {"kind": "odd\x1b[31m\udc80", "x": 1}
    (tmp_path / "a.json").write_text(json.dumps(record))
    (found,) = read_records([str(tmp_path)])
    assert found.kind == r"odd\x1b[31m\udc80"


# -- the command ------------------------------------------------------------------------------------


def test_the_command_writes_one_page(records: Path, tmp_path: Path) -> None:
    Tokenizer.kmer(2, overlap=False).save(tmp_path / "two.json")
    arguments = ["-t", "two.json", "-t", "name=two.json", "-t", "kmer:6", "--sequence", "GATTACAGATTACA"]
    done = run("report", str(records), *arguments, "-o", "out.html", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("out.html: 9 records, 2 not shown")
    assert names(tmp_path) == {"two.json", "out.html"}
    text = Page((tmp_path / "out.html").read_text(encoding="utf-8")).text
    assert "14 symbols under 3 tokenizers" in text
    again = run("report", str(records), "-o", "out.html", "--force", "--json", folder=tmp_path)
    assert json.loads(again.stdout)["shown"] == 9


def test_what_the_command_refuses(records: Path, tmp_path: Path) -> None:
    (tmp_path / "genome.fa").write_text(">a\nACGT\n")
    (tmp_path / "empty").mkdir()
    fails(run("report", str(records), "-o", "genome.fa", folder=tmp_path), "genome.fa", "not a report")
    fails(run("report", "missing", folder=tmp_path), "missing")
    fails(run("report", "empty", folder=tmp_path), "empty", "no record")
    fails(run("report", str(records), "--sequence", "ACGT", folder=tmp_path), "-t")
    fails(run("report", "genome.fa", folder=tmp_path), "genome.fa", "not a record")
    assert names(tmp_path) == {"genome.fa", "empty"}


def test_the_shipped_records_are_shown() -> None:
    folder = Path(__file__).resolve().parent.parent / "benchmarks" / "record"
    if not any(name.endswith(".json") for _, _, found in os.walk(folder) for name in found):
        pytest.skip("no records here")
    text = Page(page(read_records([str(folder)]))).text
    assert "Caveats" in text
    assert "Not shown" not in text
