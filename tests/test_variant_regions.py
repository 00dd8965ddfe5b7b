"""Saturation mutagenesis and tracks: each number is that of the scorer, of brute force, or of torch."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

torch = pytest.importorskip("torch", reason="variants need torch: the extra `model`")

from genotok import ArgumentError, _native  # noqa: E402
from genotok.model import EncoderConfig, SequenceClassifier, pack  # noqa: E402
from genotok.variants import (  # noqa: E402
    ContigRegion,
    Edit,
    MutagenesisOptions,
    Reference,
    ScoringOptions,
    VariantScorer,
    attribution_track,
    masked_track,
    mutagenesis,
    mutate,
    saturation,
    tracks,
)
from genotok.variants.edits import reverse_complement  # noqa: E402
from genotok.variants.plots import heat_map  # noqa: E402
from genotok.variants.rows import RowMaker  # noqa: E402
from tests.support.commands import run  # noqa: E402
from tests.support.tiny_models import tiny_folder, tiny_model, tiny_tokenizer  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

ONE = _native.simulate(600, 9).decode()
ONE = ONE[:230] + "NN" + ONE[232:]
BASES = "ACGT"


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("genome") / "ref.fa"
    path.write_text(f">one\n{ONE}\n>a:1-2\nACGTACGTAC\n")
    return path


@pytest.fixture(scope="module")
def reference(genome: Path) -> Reference:
    return Reference.read(genome)


@pytest.fixture(scope="module")
def scorer() -> VariantScorer:
    tokenizer = tiny_tokenizer(40)
    return VariantScorer(tiny_model(tokenizer), tokenizer, ScoringOptions(window=48))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one:1-2,0", ("one", 0, 20)),
        ("one:2-2", ("one", 1, 2)),
        ("one:590", ("one", 589, 600)),
        ("one", ("one", 0, 600)),
        ("a:1-2", ("a:1-2", 0, 10)),
        ("a:1-2:3-4", ("a:1-2", 2, 4)),
    ],
)
def test_regions_are_written_as_samtools_does(
    text: str, expected: tuple[str, int, int], reference: Reference
) -> None:
    found = ContigRegion.of(text, reference)
    assert (found.contig.name, found.start, found.end) == expected
    assert len(found.bases) == len(found)


@pytest.mark.parametrize(
    "text", ["one:0-5", "one:5-4", "one:1-601", "one:601", "two", "two:1-3", "one:-3", "one:,"]
)
def test_regions_that_are_not_there_are_errors(text: str, reference: Reference) -> None:
    with pytest.raises(ArgumentError, match=r"region=|has no contig"):
        ContigRegion.of(text, reference)


def test_all_substitutions_have_the_scores_that_they_have_alone(
    scorer: VariantScorer, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saturation, "MAX_TOGETHER", 10)
    region = ContigRegion.of("one:220-240", reference)
    found = mutate(scorer, region, deletions=True)
    edits = [
        Edit(at, at + 1, alt)
        for at in range(219, 240)
        if ONE[at] != "N"
        for alt in [*BASES.replace(ONE[at], ""), ""]
    ]
    expected = scorer.score(ONE, edits)
    assert found.places.tolist() == [edit.start for edit in edits]
    assert "".join(found.refs) == "".join(ONE[edit.start] for edit in edits)
    for name in ("pll", "marginal", "mass"):
        assert np.allclose(getattr(found.scores, name), getattr(expected, name), atol=1e-4, equal_nan=True)
    matrix, means = found.matrix("pll"), found.means("pll")
    assert matrix.shape == (21, 4)
    assert matrix[0, BASES.index(ONE[219])] == 0
    assert np.isnan(matrix[11:13]).all()
    assert means[0] == pytest.approx(matrix[0].sum() / 3)
    assert np.isnan(means[11])


def test_a_plot_has_a_cell_for_each_score(scorer: VariantScorer, reference: Reference) -> None:
    text = heat_map(mutate(scorer, ContigRegion.of("one:150-275", reference)), "pll")
    assert text.count("<rect") == 4 * (126 - 2)
    assert set(re.findall(r'fill="(#[0-9a-f]+)"', text)) > {"#ececec"}
    assert ">150<" in text
    assert ">270<" in text
    assert "one:150-275" in text


def brute_bases(scorer: VariantScorer, bases: str, at: int) -> tuple[Any, float]:
    """The probabilities of A, C, G, T at a base of a window, from all candidates of its token."""
    tokenizer = scorer.tokenizer
    ((ids, borders),) = RowMaker(tokenizer).encoded([bases])
    token = int(np.searchsorted(borders, at, "right")) - 1
    row = torch.tensor([1, *ids.tolist(), 2])
    row[token + 1] = tokenizer.mask_token_id
    with torch.no_grad():
        p = scorer._model(row, pack([len(row)]))[1][token + 1].softmax(0).numpy()
    around = [None, *ids.tolist(), None]
    found = np.zeros(4)
    for one in RowMaker(tokenizer).candidates(around[token], int(ids[token]), around[token + 2]).tolist():
        found[BASES.index(tokenizer.id_to_token(one)[at - borders[token]])] += p[one]  # type: ignore[index]
    return found / found.sum(), found.sum()


def test_a_track_has_the_probabilities_of_bases(scorer: VariantScorer, reference: Reference) -> None:
    region = ContigRegion.of("one:1-70", reference)
    found = masked_track(scorer, region)
    for at in (0, 1, 23, 24, 47, 48, 69):
        core = at // 24 * 24
        left, right = max(core - 12, 0), core + 36
        window = ONE[left:right]
        one, mass = brute_bases(scorer, window, at - left)
        other, other_mass = brute_bases(scorer, reverse_complement(window), right - 1 - at)
        p = (one + other[::-1]) / 2
        assert [found.columns[f"prob_{base}"][at] for base in BASES] == pytest.approx(p.tolist(), abs=1e-5)
        assert found.columns["mass"][at] == pytest.approx((mass + other_mass) / 2, abs=1e-5)
        assert found.columns["probability"][at] == pytest.approx(p[BASES.index(ONE[at])], abs=1e-5)
        entropy = -sum(x * np.log2(x) for x in p if x)
        assert found.columns["entropy"][at] == pytest.approx(entropy, abs=1e-5)
    unknown = masked_track(scorer, ContigRegion.of("one:229-234", reference)).columns["entropy"]
    assert np.isnan(unknown).tolist() == [False, False, True, True, False, False]


@pytest.fixture(scope="module")
def classifier() -> SequenceClassifier:
    config = EncoderConfig(
        vocab_size=40, hidden_size=16, num_layers=1, num_heads=2, intermediate_size=20,
        hidden_dropout=0.0, initializer_range=0.4, pooling="mean",
    )  # fmt: skip
    torch.manual_seed(2)
    return SequenceClassifier(config, 2).eval()


def test_attribution_is_gradient_times_input(classifier: SequenceClassifier, reference: Reference) -> None:
    """The derivative of the output where all input vectors are scaled is the sum of all products."""
    maker = RowMaker(tiny_tokenizer(40))
    row = maker.around(maker.encoded([ONE[:60]])[0][0])
    products = tracks._products(classifier, row, 1)
    packing = pack([len(row)])
    ids = torch.from_numpy(row.astype(np.int64))

    def output(scale: float, token: int) -> float:
        with torch.no_grad():
            x = classifier.bert.embeddings(ids, None, packing=packing).clone()
            x[token] *= scale
            states = classifier.bert.encoder(x, packing)
            return float(classifier.classifier(classifier.bert.pooler(states, packing))[0, 1])  # type: ignore[misc]

    for token in (0, 3, len(row) - 1):
        slope = (output(1.01, token) - output(0.99, token)) / 0.02
        assert products[token] == pytest.approx(slope, abs=2e-3)
    region = ContigRegion.of("one:1-24", reference)
    found = attribution_track(classifier, maker, region, 1, (48, "forward")).columns["attribution"]
    ((ids_of, borders),) = maker.encoded([ONE[:36]])
    products = tracks._products(classifier, maker.around(ids_of), 1)[1:]
    expected = [products[number] / (borders[number + 1] - borders[number]) for number in range(len(ids_of))]
    spread = np.repeat(expected, np.diff(borders))[:24]
    assert found.tolist() == pytest.approx(spread.tolist(), abs=1e-5)


def test_both_strands_of_an_attribution_are_averaged(
    classifier: SequenceClassifier, genome: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.fa").write_text(f">one\n{reverse_complement(ONE[:48])}\n>two\n{ONE[:48]}\n")
    both = Reference.read(tmp_path / "other.fa")
    maker = RowMaker(tiny_tokenizer(40))
    one, two = (
        attribution_track(classifier, maker, ContigRegion.of(name, both), 1, (96, "both")).columns[
            "attribution"
        ]
        for name in ("one", "two")
    )
    assert one.tolist() == pytest.approx(two[::-1].tolist(), abs=1e-5)


def test_the_commands(genome: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model").mkdir()
    model = tiny_folder(tmp_path / "model", tiny_tokenizer(40))
    arguments = ["-m", str(model), "-r", str(genome), "--window", "48", "--region", "one:220-240"]
    plot, track = tmp_path / "map.svg", tmp_path / "means.bedgraph"
    table = tmp_path / "effects.parquet"
    more = ["--plot", str(plot), "--track", str(track), "--deletions", "--json"]
    assert run("mutagenesis", *arguments, *more, "-o", table) == 0
    assert json.loads(capsys.readouterr().out)["variants"] == 19 * 4
    rows = parquet.read_table(table).to_pylist()
    assert len(rows) == 19 * 4
    assert (rows[0]["contig"], rows[0]["position"], rows[3]["alt"]) == ("one", 220, "-")
    lines = [line.split("\t") for line in track.read_text().splitlines()]
    assert [int(line[1]) for line in lines] == [at for at in range(219, 240) if ONE[at] != "N"]
    assert float(lines[0][3]) == pytest.approx(sum(row["pll"] for row in rows[:3]) / 3)
    assert plot.read_text().startswith("<svg")
    assert run("mutagenesis", *arguments, "-o", tmp_path / "a.tsv", "--plot", plot, "--force") == 0
    plot.write_text("<svg>mine</svg>")
    assert run("mutagenesis", *arguments, "-o", tmp_path / "b.tsv", "--plot", plot, "--force") == 1
    assert "exists and is not a plot of genotok" in capsys.readouterr().err
    for name in ("bases.tsv", "bases.bedgraph"):
        assert run("track", *arguments, "-o", tmp_path / name) == 0
    columns = (tmp_path / "bases.tsv").read_text().splitlines()
    assert columns[0].split("\t")[:5] == ["contig", "position", "base", "entropy", "mass"]
    assert len(columns) == 22
    assert len((tmp_path / "bases.bedgraph").read_text().splitlines()) == 19
    assert run("track", *arguments, "-o", tmp_path / "no.tsv", "--show", "attribution") == 1
    assert "is no classifier" in capsys.readouterr().err


def test_big_wig_needs_its_package(
    scorer: VariantScorer, genome: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = MutagenesisOptions(track=str(tmp_path / "a.bw"))
    monkeypatch.setitem(sys.modules, "pyBigWig", None)
    with pytest.raises(ArgumentError, match="bigWig needs pyBigWig, which is not installed"):
        mutagenesis(scorer, genome, "one:1-3", tmp_path / "a.tsv", options)
    assert not list(tmp_path.iterdir())


def test_a_big_wig_has_the_numbers_of_the_bed_graph(
    scorer: VariantScorer, genome: Path, tmp_path: Path
) -> None:
    big_wig = pytest.importorskip("pyBigWig")
    for name in ("a.bw", "a.bedgraph"):
        options = MutagenesisOptions(track=str(tmp_path / name))
        mutagenesis(scorer, genome, "one:11-30", tmp_path / f"{name}.tsv", options)
    rows = [line.split("\t") for line in (tmp_path / "a.bedgraph").read_text().splitlines()]
    with big_wig.open(str(tmp_path / "a.bw")) as file:
        assert file.chroms() == {"one": 600}
        found = file.intervals("one")
    assert [each[:2] for each in found] == [(int(row[1]), int(row[2])) for row in rows]
    assert np.allclose([each[2] for each in found], [float(row[3]) for row in rows], rtol=1e-6)
    (tmp_path / "model").mkdir()
    model = tiny_folder(tmp_path / "model", tiny_tokenizer(40))
    arguments = ["-m", model, "-r", genome, "--window", 48, "--region", "one:301-320"]
    assert run("track", *arguments, "-o", tmp_path / "b.bw") == 0
    with big_wig.open(str(tmp_path / "b.bw")) as file:
        assert [each[0] for each in file.intervals("one")] == list(range(300, 320))
