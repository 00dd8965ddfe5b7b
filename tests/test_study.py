"""Studies of tokenizers: every measure equals a slow obvious version of it, and the command tells all."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genotok import ArgumentError, Tokenizer
from genotok.cli.shared.study_tables import print_study
from genotok.run_records.reading import read_record
from genotok.run_records.schemas import StudyRecord
from genotok.study import (
    Subject,
    counting,
    formulas,
    genomes,
    named_genomes,
    named_kmers,
    read_genome,
    study,
    truncations,
)
from genotok.study.agreement import agreement, jaccard, rank_correlation
from genotok.study.compute import flops, flops_per_base
from genotok.study.measures import measure
from genotok.study.robustness import reverse_complement_consistency, shift, substitution
from genotok.study.windows import fitting, tokens_per_window
from genotok.tokenizer import reference
from tests.support import dna
from tests.support.program import fails, names, run

counts = st.lists(st.integers(0, 50), max_size=30).map(lambda numbers: np.array(numbers, dtype=np.int64))
KMERS = ("bases", "kmer:2", "kmer:3", "kmer:3:no-overlap", "kmer:2:canonical", "kmer:8")


@pytest.fixture(scope="module")
def subjects(train_words: Callable[..., Any]) -> list[Subject]:
    """Tokenizers of all sorts: byte pairs, k-mers of each kind, and one without an unknown token."""
    words = ["ACGTACGGTTACACGT" * 4, "TTTTTTTAAAAAAAAC", "GATTACAGATTACA"]
    trained = Tokenizer.from_json(train_words(words, vocab_size=36).to_json())
    plain = Tokenizer.from_json(train_words(words, vocab_size=30, special_tokens=[]).to_json())
    return [
        Subject.of("trained", trained),
        Subject.of("plain", plain),
        *(named_kmers(name) for name in KMERS),
    ]


# -- slow and obvious -------------------------------------------------------------------------------


def slow_entropy(numbers: Counter[Any]) -> float:
    total = numbers.total()
    return -sum(n / total * math.log2(n / total) for n in numbers.values() if n)


def slow_information(pairs: Counter[tuple[int, int]]) -> float:
    """The sum over pairs of p(a, b) log2 (p(a, b) / p(a) p(b)), and the correction of each entropy."""
    total = pairs.total()
    if not total:
        return 0.0
    left: Counter[int] = Counter()
    right: Counter[int] = Counter()
    for (a, b), number in pairs.items():
        left[a] += number
        right[b] += number
    plain = sum(n / total * math.log2(n * total / (left[a] * right[b])) for (a, b), n in pairs.items())
    different = (len(left) - 1) + (len(right) - 1) - (len(pairs) - 1)
    return plain + different / (2 * total * math.log(2))


def runs_of(sequences: list[str]) -> list[str]:
    return [word for sequence in sequences for word in re.findall("[ACGT]+", sequence.upper())]


def slow_places(subject: Subject, sequence: str) -> list[tuple[int, int, int]]:
    """Begin, end and id of each token: those of overlapping k-mers begin one base after another."""
    at, found = 0, []
    for index in subject.tokenizer.encode(sequence):
        length = int(subject.lengths[index])
        found.append((at, at + length, index))
        at += length - subject.overlap
    return found


# -- formulas ---------------------------------------------------------------------------------------


@given(counts)
def test_entropies(numbers: np.ndarray[Any, Any]) -> None:
    counter = Counter({index: int(n) for index, n in enumerate(numbers) if n})
    assert formulas.entropy(numbers) == pytest.approx(slow_entropy(counter) if counter else 0, abs=1e-9)
    if counter:
        corrected = slow_entropy(counter) + (len(counter) - 1) / (2 * counter.total() * math.log(2))
        assert formulas.miller_madow(numbers) == pytest.approx(corrected, abs=1e-9)


@given(counts)
def test_the_zipf_curve(numbers: np.ndarray[Any, Any]) -> None:
    ordered = sorted((int(n) for n in numbers if n), reverse=True)
    ranks, frequencies = formulas.zipf(numbers)
    assert ranks == list(range(1, len(ordered) + 1))
    assert frequencies == pytest.approx([n / sum(ordered) for n in ordered])


def test_a_long_zipf_curve_is_thinned() -> None:
    ranks, frequencies = formulas.zipf(np.arange(1, 10_001))
    assert len(ranks) <= formulas.ZIPF_POINTS
    assert (ranks[0], ranks[-1]) == (1, 10_000)
    assert frequencies[0] == pytest.approx(10_000 / np.arange(1, 10_001).sum())


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40))
def test_quantiles_are_values_that_occur(numbers: list[int]) -> None:
    percent = [0, 5, 33, 50, 99, 100]
    slow = [
        min(value for value in numbers if 100 * sum(n <= value for n in numbers) >= p * len(numbers))
        for p in percent
    ]
    assert formulas.quantiles(np.array(numbers), percent) == slow
    assert formulas.quantiles(np.array([], dtype=np.int64), percent) == []


@given(st.permutations(range(8)), st.integers(2, 8))
def test_the_rank_correlation_is_pearsons_of_the_ranks(order: list[int], shared: int) -> None:
    left = [(str(n), "") for n in range(8)]
    right = [(str(n), "") for n in order if n < shared]
    ranks = np.argsort(np.argsort([right.index((str(n), "")) for n in range(shared)]))
    expected = np.corrcoef(np.arange(shared), ranks)[0, 1]
    assert rank_correlation(left, right) == pytest.approx(expected)
    assert rank_correlation(left, right[:1]) is None


def test_jaccard() -> None:
    assert jaccard({"A", "C"}, {"C", "G"}) == pytest.approx(1 / 3)
    assert jaccard(set(), set()) is None


def test_the_encoders_operations() -> None:
    """Product by product, as in the essay: twelve layers of eight products."""
    tokens, width, inner = 7, 768, 3072
    products = [(tokens, width, width)] * 4 + [(tokens, width, inner)] * 2 + [(tokens, inner, width)]
    products += [(tokens, width, tokens)] * 2
    assert flops(tokens) == 12 * sum(2 * m * k * n for m, k, n in products)
    assert flops_per_base(5, 100) == flops(7) / 100


# -- one pass ---------------------------------------------------------------------------------------


@given(st.lists(st.lists(st.integers(0, 6), max_size=30), max_size=9), st.booleans())
def test_pairs_are_counted_however_they_come(pieces: list[list[int]], large: bool) -> None:
    pairs = counting.NeighbourCounts(70_000 if large else 7)
    expected: Counter[tuple[int, int]] = Counter()
    for piece in pieces:
        ids = np.array(piece, dtype=np.uint32 if large else np.uint16)
        pairs.add(ids[:-1], ids[1:])
        expected.update(itertools.pairwise(piece))
    left, right, number = pairs.result()
    assert (
        dict(zip(zip(left.tolist(), right.tolist(), strict=True), number.tolist(), strict=True)) == expected
    )


@given(sequences=dna.records(), piece=st.integers(2, 40))
def test_the_measures_are_those_of_plain_python(
    subjects: list[Subject], tmp_path: Path, sequences: list[str], piece: int
) -> None:
    path = dna.write_fasta(tmp_path / "a.fa", sequences)
    genome = read_genome("a", [path])
    runs = runs_of(sequences)
    assert genome.bases == sum(map(len, runs))
    assert genome.other_symbols == sum(map(len, sequences)) - genome.bases
    assert genome.gc == sum(run.count("G") + run.count("C") for run in runs) / genome.bases
    for subject in subjects:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(counting, "PIECE", piece)
            found, curves = measure(subject, genome)
        encoded = [subject.tokenizer.encode(run) for run in runs]
        tokens = Counter(index for ids in encoded for index in ids)
        pairs = Counter(pair for ids in encoded for pair in itertools.pairwise(ids))
        bits = slow_entropy(tokens) if tokens else 0
        assert found["tokens"] == tokens.total()
        assert found["tokens_per_kb"] == pytest.approx(1000 * tokens.total() / genome.bases)
        assert found["bits_per_token"] == pytest.approx(bits, rel=1e-6, abs=1e-9)
        assert found["bits_per_base"] == pytest.approx(
            bits * tokens.total() / genome.bases, rel=1e-6, abs=1e-9
        )
        assert found["vocab_used"] == len(tokens)
        assert found["pairs"] == pairs.total()
        assert found["different_pairs"] == len(pairs)
        assert found["mutual_information"] == pytest.approx(slow_information(pairs), rel=1e-6, abs=1e-6)
        if subject.unknown is not None:
            everything = [index for each in sequences for index in subject.tokenizer.encode(each.upper())]
            unknown = everything.count(subject.unknown)
            assert found["unknown_share"] == pytest.approx(unknown / len(everything) if everything else None)
        lengths: Counter[int] = Counter()
        for index, number in tokens.items():
            lengths[int(subject.lengths[index])] += number
        drawn = {curve["kind"]: curve for curve in curves}
        if tokens:
            shares = dict(zip(drawn["token length"]["x"], drawn["token length"]["y"], strict=True))
            expected = {n: number / tokens.total() for n, number in lengths.items() if number}
            assert shares == pytest.approx(expected, rel=1e-3)


@given(sequences=dna.records(), width=st.integers(1, 25))
def test_windows_are_cut_from_the_begin_of_each_record(
    subjects: list[Subject], tmp_path: Path, sequences: list[str], width: int
) -> None:
    path = dna.write_fasta(tmp_path / "a.fa", sequences)
    genome = read_genome("a", [path])
    windows = [each[at : at + width].upper() for each in sequences for at in range(0, len(each), width)]
    whole = [window for window in windows if len(window) == width and not window.strip("ACGT")]
    for subject in subjects:
        longest = subject.overlap + 1
        if width < longest:
            continue  # such windows have no overlapping k-mer at all
        expected = [len(subject.tokenizer.encode(window)) for window in whole]
        assert tokens_per_window(subject, genome, width).tolist() == expected


def test_what_fits() -> None:
    assert fitting(np.array([509, 510, 511, 512])) == 0.5
    assert fitting(np.array([], dtype=np.int64)) is None


def test_the_sample_is_every_nth_window() -> None:
    for offered in range(40):
        sample = genomes._Sample(4)
        text = np.full(genomes.SAMPLE_BASES * max(offered, 1), ord("A"), dtype=np.uint8)
        for number in range(offered):
            text[number * genomes.SAMPLE_BASES] = ord("A") + number
            sample.offer(text, number * genomes.SAMPLE_BASES)
        step = 1
        while len(range(0, offered, step)) > 4:
            step *= 2
        assert [ord(window[0]) - ord("A") for window in sample.windows] == list(range(0, offered, step))


def test_windows_with_other_symbols_are_not_in_the_sample(tmp_path: Path) -> None:
    good, bad = "ACGT" * 250, "ACGN" * 250
    path = dna.write_fasta(tmp_path / "a.fa", [good + bad + good.lower() + "ACG"])
    assert read_genome("a", [path]).sample == (good, good)
    assert read_genome("a", [path], uppercase=False).sample == (good,)


# -- robustness -------------------------------------------------------------------------------------

windows = st.lists(dna.words.filter(lambda word: len(word) > 9), min_size=1, max_size=5)


@given(windows=windows)
def test_robustness_is_that_of_sets_of_places(subjects: list[Subject], windows: list[str]) -> None:
    following = {"A": "C", "C": "G", "G": "T", "T": "A"}
    for subject in subjects:
        changed = moved = agreeing = 0
        total = {"shift": 0, "substitution": 0, "reverse_complement_consistency": 0}
        for window in windows:
            before = set(slow_places(subject, window))
            borders = {(start, end) for start, end, _ in before}
            shifted = [(start + 1, end + 1) for start, end, _ in slow_places(subject, window[1:])]
            middle = len(window) // 2
            other = slow_places(subject, window[:middle] + following[window[middle]] + window[middle + 1 :])
            turned = slow_places(subject, reference.reverse_complement(window))
            size = len(window)
            moved += sum(place not in borders for place in shifted)
            changed += sum(place not in before for place in other)
            agreeing += sum((size - end, size - start) in borders for start, end, _ in turned)
            total["shift"] += len(shifted)
            total["substitution"] += len(other)
            total["reverse_complement_consistency"] += len(turned)
        number = len(windows)
        assert shift(subject, windows) == (
            pytest.approx(moved / number),
            pytest.approx(moved / total["shift"]) if total["shift"] else None,
        )
        assert substitution(subject, windows) == (
            pytest.approx(changed / number),
            pytest.approx(changed / total["substitution"]) if total["substitution"] else None,
        )
        expected = (
            pytest.approx(agreeing / total["reverse_complement_consistency"])
            if total["reverse_complement_consistency"]
            else None
        )
        assert reverse_complement_consistency(subject, windows) == expected


def test_a_base_in_overlapping_kmers_is_in_k_tokens() -> None:
    window = "ACGTTGCATC" * 100
    assert substitution(named_kmers("kmer:6"), [window])[0] == 6
    assert shift(named_kmers("kmer:6"), [window]) == (0, 0)
    assert shift(named_kmers("kmer:6:no-overlap"), [window * 6])[1] > 0.99


def test_nothing_to_compare() -> None:
    assert shift(named_kmers("bases"), []) == (None, None)
    assert reverse_complement_consistency(named_kmers("bases"), []) is None


# -- the argument against overlapping k-mers --------------------------------------------------------


def test_overlapping_kmers_leak_and_others_do_not(tmp_path: Path) -> None:
    """On random bases the next overlapping k-mer has 2 bits that are new, and 2 (k - 1) that are told."""
    chance = np.random.default_rng(1)
    sequence = "".join(chance.choice(list("ACGT"), 300_000))
    genome = read_genome("random", [dna.write_fasta(tmp_path / "a.fa", [sequence])])
    for k in (2, 3, 4):
        leaking, _ = measure(named_kmers(f"kmer:{k}"), genome)
        assert leaking["mutual_information"] == pytest.approx(2 * (k - 1), abs=0.01)
        assert leaking["mutual_information_shuffled"] == pytest.approx(0, abs=0.05)
        apart, _ = measure(named_kmers(f"kmer:{k}:no-overlap"), genome)
        assert apart["mutual_information"] == pytest.approx(apart["mutual_information_shuffled"], abs=0.05)
        assert apart["bits_per_base"] == pytest.approx(2, abs=0.01)


# -- names ------------------------------------------------------------------------------------------


def test_genomes_by_name(tmp_path: Path) -> None:
    one, two = (dna.write_fasta(tmp_path / name, ["ACGT"]) for name in ("one.fa", "two.x.fna"))
    odd = dna.write_fasta(tmp_path / "a=b.fa", ["ACGT"])
    assert named_genomes([one, two]) == {"one": [one], "two.x": [two]}
    assert named_genomes([f"x={one}", f"x={two}"]) == {"x": [one, two]}
    assert named_genomes([odd]) == {"a=b": [odd]}
    (tmp_path / "other").mkdir()
    again = dna.write_fasta(tmp_path / "other" / "one.fa", ["ACGT"])
    assert named_genomes([one, again]) == {one: [one], again: [again]}
    for wrong in (["-"], [], [one, one], [f"x={one}", f"x={one}"]):
        with pytest.raises(ArgumentError):
            named_genomes(wrong)


@pytest.mark.parametrize("name", ["kmer:0", "kmer:9", "kmer", "kmer:x", "kmer:6:sideways", "6", "kmer:6:"])
def test_what_is_no_kmer(name: str) -> None:
    with pytest.raises(ArgumentError, match="kmer"):
        named_kmers(name)


def test_truncations_and_agreement(subjects: list[Subject]) -> None:
    trained = subjects[0]
    small, whole = truncations(trained, [20, 36])
    assert (small.name, small.tokenizer) == ("trained@20", trained.tokenizer.truncate(20))
    assert whole is trained
    with pytest.raises(ArgumentError, match="not more"):
        truncations(trained, [37])
    found = agreement(small, trained)
    assert (found["vocab_size"], found["jaccard"], found["rank_correlation"]) == (20, 1, pytest.approx(1))


def test_no_base_is_an_error(tmp_path: Path) -> None:
    path = dna.write_fasta(tmp_path / "a.fa", ["acgt"])
    assert read_genome("a", [path]).bases == 4
    with pytest.raises(ArgumentError, match="in upper case"):
        read_genome("a", [path], uppercase=False)


def test_names_must_differ(tmp_path: Path) -> None:
    genome = read_genome("a", [dna.write_fasta(tmp_path / "a.fa", ["ACGT"])])
    with pytest.raises(ArgumentError, match="given twice"):
        study([named_kmers("bases"), named_kmers("bases")], [genome])
    with pytest.raises(ArgumentError, match="at least one"):
        study([], [genome])


# -- the command ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small genomes and a tokenizer."""
    folder = tmp_path_factory.mktemp("study")
    chance = np.random.default_rng(2)
    for name, alphabet in (("one", "ACGT"), ("two", "AACGT")):
        dna.write_fasta(folder / f"{name}.fa", ["".join(chance.choice(list(alphabet), 12_345)) + "NNN"])
    Tokenizer.train([str(folder / "one.fa")], vocab_size=128).save(folder / "tokenizer.json")
    return folder


def test_a_study_prints_tables_and_keeps_a_record(folder: Path) -> None:
    done = run(
        "study", "tokenizer.json", "one.fa", "two.fa", "--vocab", "64,128", "-o", "records/", folder=folder
    )
    assert done.returncode == 0, done.stderr
    for part in ("one  12.3 kb", "3 other symbols", "tokenizer@64", "kmer:6:no-overlap", "mutual", "10 kb"):
        assert part in done.stdout
    assert "overlapping k-mers leak" in done.stdout
    assert "bits per base, vocabulary by genome" in done.stdout
    (path,) = (folder / "records").iterdir()
    assert str(path.relative_to(folder)) in done.stdout
    record = json.loads(path.read_text())
    assert record["kind"] == "study"
    assert {"version", "provenance", "curves", "caveats", "claims"} <= record.keys()
    assert [each["name"] for each in record["tokenizers"]] == [
        "tokenizer@64",
        "tokenizer",
        "kmer:6",
        "kmer:6:no-overlap",
        "bases",
    ]
    assert len(record["measures"]) == 10
    claims = {row["claim"]: row for row in record["claims"]}
    assert claims["overlapping k-mers leak"]["published"] == 10
    assert record["provenance"]["command"].startswith("genotok study tokenizer.json one.fa")
    again = run("study", "one.fa", "--kmers", "bases", "--quiet", "-o", "records", folder=folder)
    assert (again.returncode, again.stdout) == (0, "")
    assert len(names(folder / "records")) == 2


def test_a_study_as_json_with_trained_vocabularies(folder: Path) -> None:
    done = run(
        "study", "--train", "a=one.fa", "--train", "both=one.fa", "--train", "both=two.fa",
        "--vocab", "32,64", "--kmers", "", "--json", f"x={folder}/one.fa", "two.fa", folder=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert [each["name"] for each in record["tokenizers"]] == ["a@32", "a", "both@32", "both"]
    assert [each["name"] for each in record["genomes"]] == ["x", "two"]
    assert [(row["left"], row["right"]) for row in record["agreement"]] == [
        ("a@32", "both@32"),
        ("a", "both"),
    ]
    assert str(folder) not in record["provenance"]["command"]
    assert "x=one.fa" in record["provenance"]["command"]


def test_what_a_study_refuses(folder: Path) -> None:
    fails(run("study", "tokenizer.json", folder=folder), "no genome")
    fails(run("study", "missing.fa", folder=folder), "missing.fa")
    fails(run("study", "one.fa", "--vocab", "many", folder=folder), "--vocab=many", "numbers")
    fails(run("study", "one.fa", "--kmers", "20", folder=folder), "kmer:20")
    fails(run("study", "tokenizer.json", "one.fa", "--vocab", "9999", folder=folder), "9999", "128 tokens")
    fails(run("study", "tokenizer.json", "x/tokenizer.json", "one.fa", folder=folder), "x/tokenizer.json")
    (folder / "taken.json").write_text("not a record")
    fails(run("study", "one.fa", "-o", "taken.json", folder=folder), "taken.json", "not a record")


def test_the_documents_tables_are_printed_from_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    """Every line of the output in docs/guides/study.md is one that the shipped record prints."""
    root = Path(__file__).resolve().parent.parent
    path = root / "benchmarks" / "record" / "amd-epyc-2-cores" / "2026-11-22-study.json"
    text = (root / "docs" / "guides" / "study.md").read_text(encoding="utf-8")
    assert path.relative_to(root).as_posix() in text
    print_study(StudyRecord.from_json(read_record(path)), None)
    printed = set(capsys.readouterr().out.splitlines())
    (shown,) = re.findall(r"<!-- output:study -->\n```text\n(.*?)```", text, re.DOTALL)
    assert len(shown.splitlines()) > 50
    for line in shown.splitlines():
        assert line in printed, line


@pytest.mark.parametrize("command", ["study", "report"])
def test_the_commands_have_a_page(folder: Path, command: str) -> None:
    page = run(command, "--help", folder=folder)
    assert (page.returncode, page.stderr) == (0, "")
    assert f"genotok {command}" in page.stdout
    assert "Examples" in page.stdout
    assert "…" not in page.stdout
    assert max(map(len, page.stdout.splitlines())) <= 100
