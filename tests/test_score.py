"""`genotok score`: VCFs and texts in, the scores of `VariantScorer` out; hostile files are told apart."""

from __future__ import annotations

import errno
import gzip
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

pytest.importorskip("torch", reason="variants need torch: the extra `model`")

from genotok import ArgumentError, SequenceFileError, _native
from genotok.errors import GenotokWarning
from genotok.options.variants import ScoreFileOptions
from genotok.variants import Edit, VariantScorer, files, score_files
from genotok.variants import reference as references
from genotok.variants.reference import Reference
from tests.support.commands import run
from tests.support.tiny_models import tiny_folder, tiny_tokenizer

pytestmark = pytest.mark.usefixtures("one_thread")

ONE = _native.simulate(3_000, 9).decode()
TWO = _native.simulate(900, 8).decode().lower() + "NNNNRYK"
HEADER = "##fileformat=VCFv4.2\n##source=x\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tme\n"
SCORES = ("pll", "marginal", "embedding")


def other(base: str, number: int = 0) -> str:
    return "ACGT".replace(base.upper(), "")[number]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("model"), tiny_tokenizer(40))


@pytest.fixture(scope="module")
def scorer(model: Path) -> VariantScorer:
    return VariantScorer(model, window=64, scores=SCORES)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "ref.fa"
    lines = "\n".join(ONE[at : at + 60] for at in range(0, len(ONE), 60))
    path.write_text(f">one the first\n{lines}\n>two\n{TWO}\n")
    return path


def line(contig: str, position: int, ref: str, alt: str, info: str = ".") -> str:
    return f"{contig}\t{position}\trs{position}\t{ref}\t{alt}\t9\tPASS\t{info}\tGT\t0/1\n"


def good() -> list[tuple[str, str, int, list[Edit]]]:
    """Lines, and the edits that they are."""
    return [
        (line("one", 101, ONE[100], other(ONE[100]), "DP=3"), ONE, 101, [Edit(100, 101, other(ONE[100]))]),
        (line("one", 51, ONE[50:53], ONE[50]), ONE, 51, [Edit(51, 53, "")]),
        (line("two", 11, TWO[10], f"{TWO[10]}ac"), TWO, 11, [Edit(11, 11, "AC")]),
        (
            line("one", 101, ONE[100], f"{other(ONE[100], 1)},{other(ONE[100], 2)}"),
            ONE,
            101,
            [Edit(100, 101, other(ONE[100], number)) for number in (1, 2)],
        ),
        (line("one", 3000, ONE[-1], other(ONE[-1])), ONE, 3000, [Edit(2999, 3000, other(ONE[-1]))]),
        (line("one", 1, ONE[:2], other(ONE[0]) + ONE[1]), ONE, 1, [Edit(0, 1, other(ONE[0]))]),
    ]


def score(scorer: VariantScorer, variants: Any, reference: Path, output: Path, **options: Any) -> Any:
    given = [str(variants)] if isinstance(variants, Path) else variants
    return score_files(scorer, given, reference, output, ScoreFileOptions(**options))


def info_of(text: str) -> dict[str, str]:
    return dict(part.partition("=")[::2] for part in text.split("\t")[7].split(";"))


def test_a_vcf_keeps_its_columns_and_gets_the_scores(
    scorer: VariantScorer, reference: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.vcf").write_text(HEADER + "".join(text for text, *_ in good()))
    report = score(scorer, tmp_path / "in.vcf", reference, tmp_path / "out.vcf")
    assert (report["records"], report["variants"], report["scored"], report["skipped"]) == (6, 7, 7, {})
    lines = (tmp_path / "out.vcf").read_text().splitlines()
    head = [each for each in lines if each.startswith("#")]
    assert head[0] == "##fileformat=VCFv4.2"
    assert head[1].startswith("##genotok_score=")
    assert head[2] == "##source=x"
    assert head[-1] == HEADER.splitlines()[-1]
    assert sum(each.startswith("##INFO=<ID=GENOTOK_") for each in head) == 9
    for found, (text, sequence, _, edits) in zip(lines[len(head) :], good(), strict=True):
        before, columns = text.rstrip("\n").split("\t"), found.split("\t")
        assert columns[:7] + columns[8:] == before[:7] + before[8:]
        fields = info_of(found)
        assert fields.get("DP") == info_of(text).get("DP")
        expected = scorer.score(sequence, edits)
        assert [float(each) for each in fields["GENOTOK_PLL"].split(",")] == pytest.approx(
            expected.pll.tolist(), abs=1e-4
        )
        assert fields["GENOTOK_FROM"].split(",") == expected.marginal_from.tolist()
        assert len(fields["GENOTOK_MASS"].split(",")) == len(edits)


@pytest.mark.parametrize("form", ["vcf.gz", "parquet", "tsv", "jsonl", "csv.gz"])
def test_other_formats_hold_the_same(
    form: str, scorer: VariantScorer, reference: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.vcf").write_text(
        HEADER + "".join(text for text, *_ in good()) + line("one", 9, "N", "A,*")
    )
    score(scorer, tmp_path / "in.vcf", reference, tmp_path / "out.vcf")
    output = tmp_path / f"out.{form}"
    report = score(scorer, tmp_path / "in.vcf", reference, output)
    assert report["skipped"] == {"other_symbols": 1, "overlapping_deletion": 1}
    if form == "vcf.gz":
        assert gzip.decompress(output.read_bytes()).decode() == (tmp_path / "out.vcf").read_text()
        assert output.read_bytes()[12:16] == b"BC\x02\0"
        return
    data = gzip.decompress(output.read_bytes()) if form.endswith("gz") else output.read_bytes()
    names = [
        "contig",
        "position",
        "id",
        "ref",
        "alt",
        "pll",
        "pll_per_base",
        "marginal",
        "mass",
        "marginal_from",
    ]
    names += ["embedding", "tokens_before", "tokens_after", "skipped"]
    if form == "parquet":
        table = parquet.read_table(output)
        assert table.schema.names == names
        assert table.column("skipped").to_pylist() == [None] * 7 + ["other_symbols", "overlapping_deletion"]
        assert table.column("pll").null_count == 2
        assert table.column("alt").to_pylist()[3:5] == [other(ONE[100], 1), other(ONE[100], 2)]
        assert json.loads(table.schema.metadata[b"genotok"])["options"]["window"] == 64
    elif form == "jsonl":
        rows = [json.loads(each) for each in data.splitlines()]
        assert list(rows[0]) == names
        assert rows[0]["position"] == 101
        assert rows[-1]["pll"] is None
    else:
        lines = data.decode().splitlines()
        assert lines[0].replace(",", "\t").split("\t") == names
        assert len(lines) == 10


def test_texts_are_scored_as_a_vcf_is(scorer: VariantScorer, reference: Path, tmp_path: Path) -> None:
    texts = [f"one:101:{ONE[100]}>{other(ONE[100])}", f"two:11:{TWO[10]}>{TWO[10]}AC", "one:2,999:NN>A"]
    report = score(scorer, texts, reference, tmp_path / "out.vcf")
    assert (report["scored"], report["skipped"]) == (2, {"other_symbols": 1})
    lines = (tmp_path / "out.vcf").read_text().splitlines()
    assert [each for each in lines if each.startswith("##contig")] == [
        "##contig=<ID=one,length=3000>",
        "##contig=<ID=two,length=907>",
    ]
    assert lines[-1].endswith("GENOTOK_SKIPPED=other_symbols")
    expected = scorer.score(ONE, [Edit(100, 101, other(ONE[100]))])
    assert float(info_of(lines[-3])["GENOTOK_PLL"]) == pytest.approx(expected.pll[0], abs=1e-4)
    with pytest.raises(ArgumentError, match="variant=one:5: a file, or a text such as chr20"):
        score(scorer, ["one:5", "one:5:A>G"], reference, tmp_path / "no.vcf")
    with pytest.raises(FileNotFoundError):
        score(scorer, ["no.vcf"], reference, tmp_path / "no.vcf")


LONG = "A" + "".join("ACGT"[number % 4] for number in range(1_000_000))

SKIPPED: list[tuple[str, str, str]] = [
    ("N", "A", "other_symbols"),
    ("{ref}", "R", "other_symbols"),
    ("{ref}", ".", "no_alternative"),
    ("{ref}", "*", "overlapping_deletion"),
    ("{ref}", "<DEL>", "symbolic"),
    ("{ref}", "<*>", "symbolic"),
    ("{ref}", "{ref}[one:7[", "breakend"),
    ("{ref}", ".{ref}", "breakend"),
    ("{ref}", "{ref}", "no_change"),
    ("{ref}", "{ref}" + LONG, "too_long"),
    (ONE[500:600], "{ref}", "too_long"),
]


@pytest.mark.parametrize(("ref", "alt", "reason"), SKIPPED, ids=[each[2] for each in SKIPPED])
def test_what_cannot_be_scored_is_skipped_with_its_reason(
    ref: str, alt: str, reason: str, scorer: VariantScorer, reference: Path, tmp_path: Path
) -> None:
    ref, alt = (each.replace("{ref}", ONE[500]) for each in (ref, alt))
    lines = [line("one", 501, ref, alt), good()[0][0], line("one", 501, ref, f"{alt},{other(ONE[500])}")]
    (tmp_path / "in.vcf").write_text(HEADER + "".join(lines))
    report = score(scorer, tmp_path / "in.vcf", reference, tmp_path / "out.vcf")
    number = 3 if ref in {"N", ONE[500:600]} else 2
    assert report["skipped"].get(reason, 0) >= min(number, 2)
    assert report["scored"] + sum(report["skipped"].values()) == 4
    found = (tmp_path / "out.vcf").read_text().splitlines()[-3:]
    assert info_of(found[0]) == {".": ""} | {"GENOTOK_SKIPPED": reason} or info_of(found[0]) == {
        "GENOTOK_SKIPPED": reason
    }
    assert info_of(found[2])["GENOTOK_SKIPPED"].startswith(reason)


UNFITTING = [
    ("three", 5, "A", "C", "unknown_contig", r"line 4: .*ref.fa has no contig 'three'; it has one, two"),
    ("chrone", 5, "A", "C", "unknown_contig", "has no contig 'chrone'"),
    ("one", 0, "A", "C", "outside", "has not one:0 of 1 bases: one has 3,000 bases"),
    ("one", 3001, "A", "C", "outside", "has not one:3,001"),
    ("one", 2999, "ACC", "C", "outside", "has not one:2,999 of 3 bases"),
    ("one", 101, other(ONE[100]), "AA", "other_reference", f"has {ONE[100]} at one:101, and REF is"),
]


@pytest.mark.parametrize(("contig", "position", "ref", "alt", "reason", "message"), UNFITTING)
def test_what_does_not_fit_the_reference_is_an_error_or_skipped(
    contig: str, position: int, ref: str, alt: str, reason: str, message: str,
    scorer: VariantScorer, reference: Path, tmp_path: Path,
) -> None:  # fmt: skip
    (tmp_path / "in.vcf").write_text(HEADER + line(contig, position, ref, alt) + good()[0][0])
    with pytest.raises(SequenceFileError, match=message):
        score(scorer, tmp_path / "in.vcf", reference, tmp_path / "out.vcf")
    assert not list(tmp_path.glob("*out*"))
    report = score(scorer, tmp_path / "in.vcf", reference, tmp_path / "out.vcf", unfitting="skip")
    assert (report["skipped"], report["scored"]) == ({reason: 1}, 1)


REFUSED = [
    ("", "has no line of columns"),
    (">one\nACGT\n", "is no VCF"),
    ("BCF\2\2", "is BCF"),
    ("##fileformat=VCFv4.2\none\t1\t.\tA\tC\t.\t.\t.\n", "line 2: the columns #CHROM POS ID REF ALT QUAL"),
    ("#CHROM\tPOS\tID\tREF\tALT\n", "line 1: the columns"),
    (HEADER + "one\t1\t.\tA\tC\t.\t.\t.\n", "line 4: has 8 columns; 10 are expected"),
    (HEADER + line("one", 1, "A", "C").replace("\t1\t", "\tx\t"), "line 4: POS is 'x'"),
    (HEADER + line("one", 1, "A", "C").replace("\t1\t", "\t-1\t"), "line 4: POS is '-1'"),
    (HEADER + line("one", 1, "", "C"), "line 4: REF is ''"),
    (HEADER + line("one", 1, "<X>", "C"), "line 4: REF is '<X>'"),
    (HEADER + "\n" + line("one", 1, "A", "C,"), "line 5: ALT has an empty allele"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_what_is_no_vcf_is_refused_with_its_line(
    text: str, message: str, scorer: VariantScorer, reference: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.vcf").write_text(text)
    with pytest.raises((SequenceFileError, ArgumentError), match=message):
        score(scorer, tmp_path / "in.vcf", reference, tmp_path / "out.vcf")
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize("name", ["out.vcf", "out.vcf.gz", "out.parquet", "out.tsv", "out.jsonl"])
def test_no_variants_give_an_empty_output(
    name: str, scorer: VariantScorer, reference: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.vcf").write_text(HEADER)
    report = score(scorer, tmp_path / "in.vcf", reference, tmp_path / name)
    assert (report["records"], report["variants"], report["scored"]) == (0, 0, 0)
    if name == "out.parquet":
        assert parquet.read_table(tmp_path / name).num_rows == 0
        return
    text = (tmp_path / name).read_bytes()
    lines = (gzip.decompress(text) if name.endswith(".gz") else text).decode().splitlines()
    assert not [line for line in lines if not line.startswith(("#", "contig\t"))]
    assert bool(lines) == (name != "out.jsonl")


def test_crlf_compression_and_bytes_that_are_no_text(
    scorer: VariantScorer, reference: Path, tmp_path: Path
) -> None:
    plain = (HEADER + "".join(text for text, *_ in good())).replace("rs101", "r\xe9")
    data = plain.encode("latin-1")
    (tmp_path / "in.vcf").write_bytes(data)
    (tmp_path / "crlf.vcf").write_bytes(b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
    (tmp_path / "in.vcf.gz").write_bytes(gzip.compress(data))
    found = []
    for name in ("in.vcf", "crlf.vcf", "in.vcf.gz"):
        output = tmp_path / f"out-{name}.vcf"
        score(scorer, tmp_path / name, reference, output)
        found.append(output.read_bytes())
    assert found[0] == found[1] == found[2]
    assert b"r\xe9" in found[0]
    packed = tmp_path / "ref.fa.gz"
    packed.write_bytes(gzip.compress(reference.read_bytes().replace(b"\n", b"\r\n")))
    score(scorer, tmp_path / "in.vcf", packed, tmp_path / "packed.vcf")
    assert (tmp_path / "packed.vcf").read_bytes() == found[0]


def test_batches_of_any_size_give_the_same(
    scorer: VariantScorer, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.vcf").write_text(HEADER + "".join(text for text, *_ in good()) * 3)
    score(scorer, tmp_path / "in.vcf", reference, tmp_path / "one.tsv")
    for name, value in (("MAX_TOGETHER", 2), ("MAX_RECORDS", 1), ("MAX_TEXT", 1)):
        with monkeypatch.context() as changes:
            changes.setattr(files, name, value)
            score(scorer, tmp_path / "in.vcf", reference, tmp_path / f"{name}.tsv")
        columns = [
            [row.split("\t") for row in (tmp_path / each).read_text().splitlines()[1:]]
            for each in ("one.tsv", f"{name}.tsv")
        ]
        assert [row[:5] for row in columns[0]] == [row[:5] for row in columns[1]]
        numbers = [np.array([[float(row[5]), float(row[10])] for row in rows]) for rows in columns]
        assert np.allclose(*numbers, atol=1e-4)


def test_an_interrupted_run_is_resumed(
    scorer: VariantScorer, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_TOGETHER", 2)
    (tmp_path / "in.vcf").write_text(HEADER + "".join(text for text, *_ in good()) * 3)
    inputs = [str(tmp_path / "in.vcf")]
    output, partial = tmp_path / "out.vcf", tmp_path / "out.vcf.partial"
    score(scorer, inputs, reference, tmp_path / "whole.vcf")

    def stop(event: dict[str, Any]) -> None:
        if event["variants"] > 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_files(scorer, inputs, reference, output, ScoreFileOptions(), stop)
    assert not output.exists()
    assert partial.stat().st_size > 100
    with pytest.raises(ArgumentError, match=r"is left of an interrupted run; --resume continues it"):
        score(scorer, inputs, reference, output)
    other_scorer = VariantScorer(str(scorer.folder.path), window=62, scores=SCORES)  # type: ignore[union-attr]
    with pytest.raises(ArgumentError, match="is of another model, other inputs or settings"):
        score(other_scorer, inputs, reference, output, resume=True)
    with partial.open("a") as file:
        file.write('{"pll": [1')  # a killed run
    report = score(scorer, inputs, reference, output, resume=True)
    assert 0 < report["resumed"] < report["scored"] == 21
    assert not partial.exists()
    assert output.read_bytes() == (tmp_path / "whole.vcf").read_bytes()
    partial.write_text('{"format": "genotok scores"}\n')
    assert score(scorer, inputs, reference, output, force=True)["resumed"] == 0
    partial.write_text("mine")
    with pytest.raises(ArgumentError, match="exists and is not of genotok"):
        score(scorer, inputs, reference, output, force=True)
    assert partial.read_text() == "mine"


def test_a_journal_that_stays_is_told(
    scorer: VariantScorer, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output is complete without."""

    def refuse(path: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), path)

    inputs, output = tmp_path / "in.vcf", tmp_path / "out.vcf"
    inputs.write_text(HEADER)
    score(scorer, inputs, reference, tmp_path / "expected.vcf")
    monkeypatch.setattr(os, "remove", refuse)
    with pytest.warns(GenotokWarning, match=r"partial: .*; remove it, the output is complete without"):
        score(scorer, inputs, reference, output)
    assert output.read_bytes() == (tmp_path / "expected.vcf").read_bytes()


def test_a_run_that_was_killed_when_its_output_was_complete_is_resumed(
    scorer: VariantScorer, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, output, partial = tmp_path / "in.vcf", tmp_path / "out.vcf", tmp_path / "out.vcf.partial"
    inputs.write_text(HEADER + "".join(text for text, *_ in good()))

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "remove", interrupt)
    with pytest.raises(KeyboardInterrupt):
        score(scorer, inputs, reference, output)
    monkeypatch.undo()
    expected = output.read_bytes()
    with pytest.raises(ArgumentError, match="is there already"):
        score(scorer, inputs, reference, output)
    report = score(scorer, inputs, reference, output, resume=True)
    assert (output.read_bytes(), partial.exists()) == (expected, False)
    assert report["resumed"] == report["scored"] == 7
    with pytest.raises(ArgumentError, match="is there already"):
        score(scorer, inputs, reference, output, resume=True)


def test_an_output_with_scores_is_not_scored_again(
    scorer: VariantScorer, reference: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.vcf").write_text(HEADER + good()[0][0])
    score(scorer, tmp_path / "in.vcf", reference, tmp_path / "out.vcf")
    with pytest.raises(SequenceFileError, match="the VCF has scores of genotok"):
        score(scorer, tmp_path / "out.vcf", reference, tmp_path / "again.vcf")
    with pytest.raises(ArgumentError, match="exists and is not a VCF with scores of genotok"):
        score(scorer, tmp_path / "out.vcf", reference, tmp_path / "in.vcf", force=True)


def test_the_command(
    model: Path, reference: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.vcf").write_text(
        HEADER + "".join(text for text, *_ in good()) + line("one", 9, "A", "<DEL>")
    )
    arguments = ["score", "-m", str(model), "-r", str(reference), "--window", "64"]
    assert run(*arguments, tmp_path / "in.vcf", "-o", tmp_path / "out.vcf") == 0
    out = capsys.readouterr().out
    assert "scored 7 variants of 8" in out
    assert "1: 1 symbolic alleles" in out
    assert "per variant" in out
    assert run(*arguments, tmp_path / "in.vcf", "-o", tmp_path / "out.tsv", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passes_per_variant"] > 1
    assert found["skipped"] == {"symbolic": 1}
    assert run(*arguments, "--scores", "nothing", tmp_path / "in.vcf", "-o", tmp_path / "no.tsv") == 1


# -- references ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 22])
def test_contigs_are_read_in_blocks_of_any_size(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "BLOCK", block)
    (tmp_path / "a.fa").write_bytes(b">a x\r\nACgt\r\nNNR\r\n\r\n>empty\n>b>c\nA\n\nC>")
    with pytest.raises(SequenceFileError, match="'>' at base 3 stands for no nucleotide"):
        Reference.read(tmp_path / "a.fa")
    (tmp_path / "a.fa").write_bytes(b">a x\r\nACgt\r\nNNR\r\n\r\n>empty\n>b>c\nA\n\nC")
    found = Reference.read(tmp_path / "a.fa")
    contigs = {name: bytes(contig[0 : len(contig)]) for name, contig in found.contigs.items()}
    assert contigs == {"a": b"ACGTNNR", "empty": b"", "b>c": b"AC"}
    assert found.contig("a")[2:100] == b"GTNNR"
    with pytest.raises(ArgumentError, match=r"has no contig 'A'; it has a, empty, b>c"):
        found.contig("A")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"ACGT\n", "is no FASTA file"),
        (b">a\nAC\n>a\nG\n", "the name 'a' is there twice"),
        (b">\nAC\n", "a record has no name"),
        (b">a\nACXT\n", "record a: 'X' at base 3 stands for no nucleotide"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\3rest", "damaged"),
    ],
)
def test_references_that_cannot_be_read_say_why(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_bytes(data)
    with pytest.raises(SequenceFileError, match=message):
        Reference.read(tmp_path / "a.fa")
