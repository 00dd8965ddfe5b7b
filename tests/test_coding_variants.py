"""Substitutions in reading frames: frames, classes and areas are those of short obvious definitions."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")

from benchmarks import coding_variants, model_tables  # noqa: E402
from benchmarks.reading_frames import (  # noqa: E402
    CODE,
    codon_scores,
    codons,
    frames,
    markov_scores,
    substitutions,
)

from genotok import Tokenizer  # noqa: E402
from genotok.pretrain import PretrainConfig, pretrain  # noqa: E402
from genotok.report.coding import coding_section, variants_speed_section  # noqa: E402
from genotok.report.records import FoundRecord  # noqa: E402
from genotok.run_records.schemas import BenchmarkRecord  # noqa: E402
from genotok.training.settings import configured, preset  # noqa: E402
from genotok.variants.edits import reverse_complement  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
COLI = ROOT / "genomes" / "ecoli_k12_mg1655.fa"
pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_code_has_three_stops_and_one_start() -> None:
    assert len(CODE) == 64
    assert {codon for codon, acid in CODE.items() if acid == "*"} == {"TAA", "TAG", "TGA"}
    assert (CODE["ATG"], CODE["TGG"], CODE["GCT"]) == ("M", "W", "A")


@given(st.text("ACGTN", max_size=150), st.integers(1, 4))
@settings(max_examples=200)
def test_frames_are_those_of_a_pattern(genome: str, least: int) -> None:
    pattern = re.compile(r"(?=(ATG(?:(?!TAA|TAG|TGA)[ACGT]{3})*(?:TAA|TAG|TGA)))")
    whole = set()
    for is_reverse, bases in ((False, genome), (True, reverse_complement(genome))):
        ends: dict[int, int] = {}
        for match in pattern.finditer(bases):
            start, end = match.start(1), match.end(1)
            ends[end] = min(start, ends.get(end, start))
        for end, start in ends.items():
            if end - start - 3 >= 3 * least:
                whole.add((len(bases) - end, len(bases) - start, True) if is_reverse else (start, end, False))
    found = {(one.start, one.end, one.is_reverse) for one in frames(genome, least)}
    assert found <= whole
    for start, end, _ in whole - found:  # a longer one, or one as long, overlaps it
        assert any(
            start < other_end and other < end and other_end - other >= end - start
            for other, other_end, _ in found
        )
    for one, other in itertools.combinations(sorted(found), 2):
        assert one[1] <= other[0]


def test_substitutions_make_the_codon_that_they_say() -> None:
    genome = "".join(COLI.read_text().split("\n")[1:])[:30_000].upper()
    known = frames(genome)
    assert {one.is_reverse for one in known} == {False, True}
    made = substitutions(genome, known, 3, seed=1)
    assert len(made) == len(known) * 3 * 9
    assert {one.kind for one in made} == {"missense", "synonymous", "nonsense"}
    for one in made:
        changed = genome[: one.position] + one.base + genome[one.position + 1 :]
        before, after = (codons(text, known[one.frame]) for text in (genome, changed))
        ((old, new),) = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
        assert (old, new) == (one.before, one.after)
        kind = "synonymous" if CODE[old] == CODE[new] else "nonsense" if CODE[new] == "*" else "missense"
        assert one.kind == kind
    usual = codon_scores(genome, made)
    assert all(score < 0 for one, score in zip(made, usual, strict=True) if one.kind == "nonsense")


def test_the_chain_is_that_of_the_whole_sequence() -> None:
    draw = np.random.default_rng(3)
    train = "".join(draw.choice(list("ACGT"), 2_000))
    genome = "".join(draw.choice(list("ACGT"), 960)) + "N"
    known = frames("ATG" + "GCT" * 310 + "TAA")
    made = substitutions("ATG" + "GCT" * 310 + "TAA", known, 4, seed=1)
    count = {
        word: 1 + sum(strand[at : at + 4] == word for strand in both for at in range(len(strand) - 3))
        for both in [(train, reverse_complement(train))]
        for word in map("".join, itertools.product("ACGT", repeat=4))
    }

    def likelihood(bases: str) -> float:
        found = 0.0
        for at in range(len(bases) - 3):
            word = bases[at : at + 4]
            if word in count:
                found += np.log(count[word] / sum(count[word[:3] + base] for base in "ACGT"))
        return found

    scores = markov_scores(train, genome, made)
    for one, score in zip(made, scores, strict=True):
        changed = genome[: one.position] + one.base + genome[one.position + 1 :]
        both = [
            likelihood(after) - likelihood(before)
            for after, before in (
                (changed, genome),
                (reverse_complement(changed), reverse_complement(genome)),
            )
        ]
        assert score == pytest.approx(np.mean(both))


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=9), st.lists(st.integers(0, 4), min_size=1, max_size=9)
)
def test_areas_count_pairs(low: list[int], high: list[int]) -> None:
    one, other = np.array(low, np.float64), np.array(high, np.float64)
    pairs = [(x < y) + (x == y) / 2 for x, y in itertools.product(low, high)]
    assert coding_variants.area(one, other) == pytest.approx(np.mean(pairs))
    strata = one % 2, other % 2
    inside = [(x < y) + (x == y) / 2 for x, y in itertools.product(low, high) if x % 2 == y % 2]
    found = coding_variants.within(one, other, strata)
    assert found == pytest.approx(np.mean(inside)) if inside else np.isnan(found)


@pytest.mark.slow
def test_a_model_is_scored_beside_what_needs_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "part.fa").write_text(">coli\n" + "".join(COLI.read_text().split("\n")[1:])[:60_000] + "\n")
    coding_variants.main(["split", f"{tmp_path}/part.fa", "-o", f"{tmp_path}/coli"])
    train = tmp_path / "coli" / "train.fa"
    assert len("".join(train.read_text().split("\n")[1:])) == 48_000
    Tokenizer.train(train, vocab_size=64).save(tmp_path / "tokenizer.json")
    changes = {"steps": 1, "batch": 4, "warmup": 0, "layers": 1}
    config = configured(PretrainConfig, preset("genotok.pretrain", "tiny"), changes)
    pretrain(
        [str(train)],
        tmp_path / "model",
        config,
        tokenizer=str(tmp_path / "tokenizer.json"),
        windows=200,
        device="cpu",
        threads=1,
    )
    words = ["score", f"{tmp_path}/coli", "--model", f"{tmp_path}/model", "-o", f"{tmp_path}/record.json"]
    coding_variants.main([*words, "--window", "60", "--frames", "3", "--codons", "2", "--threads", "1"])
    record = BenchmarkRecord.from_json(json.loads((tmp_path / "record.json").read_text()))
    assert sum(record.more["substitutions"].values()) == 3 * 2 * 9
    assert {case["score"] for case in record.cases} == {
        "pll",
        "marginal",
        "embedding",
        "Markov chain",
        "codon frequencies",
    }
    assert "missense below synonymous, codon frequencies: " in capsys.readouterr().out
    table = model_tables.coding_markdown(record)
    assert table.startswith("| worse, better | score | area | same change | same usage |")
    section = coding_section(FoundRecord("r.json", "r.json", "coding-variants", record.to_json()))
    assert len(section.tables[0].rows) == len(record.cases)
    with pytest.raises(SystemExit, match="one record of FASTA"):
        coding_variants.main(["split", f"{tmp_path}/record.json", "-o", f"{tmp_path}/coli"])


def test_the_speed_of_scores_is_a_table() -> None:
    figures = {"variants": 128, "variants_per_second": 120.0, "passes_per_variant": 3.43}
    case = {
        "title": "tiny-1m",
        "preset": "tiny-1m",
        **figures,
        "naive_variants_per_second": 0.9,
        "times_faster": 133.3,
    }
    record = BenchmarkRecord(
        kind="variants-speed", cases=[case], threads=1, caveats=["One."], more={"window": 512}
    )
    assert "| tiny-1m | 120.0 | 3.43 | 0.9 | 133 |" in model_tables.speed_markdown(record)
    section = variants_speed_section(FoundRecord("v.json", "v.json", "variants-speed", record.to_json()))
    assert [cell.text for cell in section.tables[0].rows[0]][:3] == ["tiny-1m", "128", "120.0"]
