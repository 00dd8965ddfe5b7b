"""Training is exact: the merges of the reference and of Hugging Face, whatever the threads and files."""

from __future__ import annotations

import gzip
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import genotok
from genotok import _native
from genotok.options import RunOptions
from genotok.tokenizer import reference
from tests.support import dna, huggingface

if TYPE_CHECKING:
    from tests.support.training import Training

TrainWords = Callable[..., Any]
seeds = st.one_of(st.none(), st.integers(0, 2**32))
thread_counts = st.sampled_from([1, 2, 4])


# -- weighted words ---------------------------------------------------------------------------------


@settings(max_examples=300)
@given(dna.corpora(), dna.vocab_sizes, dna.min_frequencies, dna.token_lengths, seeds, thread_counts)
@example(["A"], 5000, 0, None, None, 1)
@example(["AAAA"], 5000, 0, None, None, 1)
@example(["A" * 100, "A" * 7, "T" * 31], 5000, 0, None, 1, 1)
@example(["AT" * 40, "TA" * 40, "A" * 9], 5000, 0, None, 2, 1)
def test_merges_and_ids_equal_the_reference_and_hugging_face(
    train_words: TrainWords,
    words: list[str],
    vocab_size: int,
    min_frequency: int,
    max_token_length: int | None,
    seed: int | None,
    threads: int,
) -> None:
    options: dict[str, Any] = {"min_frequency": min_frequency, "max_token_length": max_token_length}
    expected = reference.train(words, vocab_size, **options)
    rival = huggingface.train(words, vocab_size, **options)
    ours = train_words(words, vocab_size=vocab_size, seed=seed, threads=threads, **options)
    assert ours.merges == expected == huggingface.merges(rival)
    assert list(ours.vocab.items()) == list(huggingface.vocabulary(rival).items())
    assert ours.vocab_size == len(ours.vocab) == rival.get_vocab_size()
    assert ours.special_tokens == dna.SPECIAL_TOKENS


@given(dna.corpora(max_words=4), st.lists(st.integers(0, 2**32), min_size=3, max_size=3))
def test_any_guess_of_the_pair_set_gives_the_same_merges(
    train_words: TrainWords, words: list[str], some_seeds: list[int]
) -> None:
    """A round that guessed badly commits fewer merges, never other ones."""
    expected = reference.train(words, dna.EXHAUSTING_VOCAB)
    for seed in some_seeds:
        assert train_words(words, vocab_size=dna.EXHAUSTING_VOCAB, seed=seed).merges == expected


@pytest.mark.parametrize("num_bases", [3000, 20_000])
def test_longer_words_with_guesses_equal_hugging_face(train_words: TrainWords, num_bases: int) -> None:
    """Words as the benchmarks have them: repeats, runs, and many more tokens than in drawn cases."""
    word = _native.simulate(num_bases, 7).decode()
    words = reference.words_of(word, 997)
    expected = huggingface.merges(huggingface.train(words, 1000))
    for seed in (None, 1, 2, 3):
        assert train_words(words, vocab_size=1000, seed=seed).merges == expected


weights = st.one_of(st.integers(1, 5), st.integers(2**31 - 2, 2**31 + 2), st.integers(2**32 - 2, 2**45))


@given(st.dictionaries(dna.words, weights, min_size=1, max_size=6), dna.vocab_sizes, seeds)
def test_counts_beyond_32_bits_equal_the_reference(
    train_words: TrainWords, words: dict[str, int], vocab_size: int, seed: int | None
) -> None:
    ours = train_words(list(words.items()), vocab_size=vocab_size, seed=seed)
    assert ours.merges == reference.train(words, vocab_size)


def test_a_count_of_2_to_the_32_and_one_is_not_one(train_words: TrainWords) -> None:
    """In signed 32 bits (A, C) would count 1 and (T, T) less than nothing: (G, G) would come first."""
    words = [("AC", 2**32 + 1), ("TT", 2**31 + 5), ("GG", 7)]
    assert train_words(words, vocab_size=100).merges == [("A", "C"), ("T", "T"), ("G", "G")]


def test_counts_beyond_64_bits_are_exact_or_refused(train_words: TrainWords) -> None:
    words = {"AAAC": 2**63, "AAAG": 2**63, "CT": 2**62}
    try:
        merges = train_words(list(words.items()), vocab_size=12).merges
    except genotok.GenotokError:
        return
    assert merges == reference.train(words, 12)


@given(dna.corpora())
def test_the_order_of_words_and_their_splitting_into_weights_do_not_matter(
    train_words: TrainWords, words: list[str]
) -> None:
    whole = train_words(words, vocab_size=200).to_json()
    assert train_words(words[::-1], vocab_size=200).to_json() == whole
    assert train_words([(word, words.count(word)) for word in set(words)], vocab_size=200).to_json() == whole


@pytest.mark.parametrize("words", [[], ["A"], ["A", "C", "G", "T"], ["A"] * 50])
def test_words_without_a_pair_give_the_bases_alone(train_words: TrainWords, words: list[str]) -> None:
    try:
        ours = train_words(words)
    except genotok.GenotokError:
        assert words == []  # nothing at all may be refused
        return
    assert ours.merges == []
    assert list(ours.vocab) == [*dna.SPECIAL_TOKENS, *"ACGT"]


@given(dna.corpora(), st.integers(dna.MIN_VOCAB, 80))
def test_truncating_equals_training_at_the_smaller_size(
    train_words: TrainWords, words: list[str], vocab_size: int
) -> None:
    large = train_words(words, vocab_size=80)
    small = train_words(words, vocab_size=vocab_size)
    if vocab_size <= large.vocab_size:
        assert large.truncate(vocab_size).to_json() == small.to_json()
    else:
        assert small.to_json() == large.to_json()


@pytest.mark.parametrize("specials", [["[UNK]"], ["[PAD]", "[UNK]", "<s>"], ["[UNK]", *"123456789"]])
def test_special_tokens_take_the_first_ids(train_words: TrainWords, specials: list[str]) -> None:
    """Ties are broken by id, and ids shift with the special tokens; the merges do not."""
    words = ["ACGTACGGTTACAAAA", "GATTACAGATTACA"]
    ours = train_words(words, vocab_size=25, special_tokens=specials)
    rival = huggingface.train(words, 25, special_tokens=specials)
    assert ours.vocab == huggingface.vocabulary(rival)
    assert ours.merges == huggingface.merges(rival)
    assert ours.special_tokens == specials


@given(dna.corpora(), dna.words)
def test_explaining_and_decoding_equal_the_reference(
    train_words: TrainWords, words: list[str], sequence: str
) -> None:
    ours = train_words(words, vocab_size=60)
    steps = list(reference.explain(sequence, ours.merges))
    explained = ours.explain(sequence)
    assert explained[0]["rank"] is None
    assert explained[0]["tokens"] == list(sequence)
    assert explained[-1]["tokens"] == steps[-1][1]
    for step in explained[1:]:
        assert (step["left"], step["right"]) == ours.merges[step["rank"]]
        assert (step["rank"], step["tokens"]) in steps  # a step is one merge, at one place or at all of them
    assert ours.decode(ours.encode(sequence)) == sequence


# -- files ------------------------------------------------------------------------------------------


@given(
    dna.records(),
    st.sampled_from([20, dna.EXHAUSTING_VOCAB]),
    st.sampled_from([None, 1, 2, 7, 1000]),
    st.booleans(),
    thread_counts,
)
def test_training_on_a_file_equals_the_reference(
    train: Training,
    records: list[str],
    vocab_size: int,
    word_length: int | None,
    both_strands: bool,
    threads: int,
) -> None:
    words = [word for record in records for word in reference.words_of(record, word_length)]
    with tempfile.TemporaryDirectory() as folder:
        path = dna.write_fasta(Path(folder) / "records.fa", records, line_width=13)
        ours, report = train(
            [path],
            vocab_size=vocab_size,
            word_length=word_length,
            both_strands=both_strands,
            threads=threads,
        )
    assert ours.merges == reference.train(words, vocab_size, both_strands=both_strands)
    assert report["records"] == len(records)
    assert report["words"] == len(words)
    assert report["bases"] == sum(map(len, words))
    assert report["vocab_size"] == ours.vocab_size
    assert report["merges"] == len(ours.merges)


@given(dna.records(max_records=6), st.randoms(use_true_random=False))
def test_the_file_does_not_depend_on_how_the_records_are_stored(
    train: Training, records: list[str], chance: random.Random
) -> None:
    """Order of records and files, compression, line ends and widths, case: the same bytes come out."""
    options: dict[str, Any] = {"vocab_size": 40, "word_length": 11}
    shuffled = chance.sample(records, len(records))
    cut = chance.randint(0, len(records))
    forms = {
        "plain.fa": dna.fasta(records),
        "shuffled.fa": dna.fasta(shuffled),
        "packed.fa.gz": gzip.compress(dna.fasta(records)),
        "members.fa.gz": b"".join(gzip.compress(dna.fasta([record])) for record in records),
        "lower.fa": dna.fasta(record.lower() for record in records),
        "dos.fa": dna.fasta(records, line_end="\r\n"),
        "long.fa": dna.fasta(records, line_width=10**6),
        "narrow.fa": dna.fasta(records, line_width=1),
        "open.fa": dna.fasta(records).rstrip(b"\n"),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, content in forms.items():
            (Path(folder) / name).write_bytes(content)
        made = {train([f"{folder}/{name}"], **options)[0].to_json() for name in forms}
        if 0 < cut < len(records):
            # A file must hold sequence, so each part gets a base that makes no pair.
            (Path(folder) / "one.fa").write_bytes(dna.fasta([*shuffled[:cut], "A"]))
            (Path(folder) / "two.fa").write_bytes(dna.fasta([*shuffled[cut:], "C"]))
            parts = [f"{folder}/one.fa", f"{folder}/two.fa"]
            made |= {train(parts, **options)[0].to_json(), train(parts[::-1], **options)[0].to_json()}
    assert len(made) == 1


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A FASTA file of 10 Mb in three records, long enough that a training has several progress events."""
    genome = _native.simulate(10_000_000, 3).decode()
    path = tmp_path_factory.mktemp("simulated") / "genome.fa"
    return dna.write_fasta(path, [genome[:1000], genome[1000:3_000_000], genome[3_000_000:]])


def test_threads_and_packing_do_not_change_a_byte(train: Training, simulated: str, tmp_path: Path) -> None:
    made = {train([simulated], threads=threads)[0].to_json() for threads in (1, 2, 3)}
    packed = str(tmp_path / "genome.packed")
    summary = _native.pack([simulated], packed, _native.MAX_UNKNOWN, RunOptions(threads=2))
    assert summary["bases"] == 10_000_000
    assert summary["words"] == 3
    ours, report = train([packed])
    made.add(ours.to_json())
    assert len(made) == 1
    assert report["bases"] == 10_000_000


def test_the_simulated_genome_is_seeded_dna() -> None:
    genome = _native.simulate(50_000, 11)
    assert len(genome) == 50_000
    assert set(genome) <= set(b"ACGT")
    assert genome == _native.simulate(50_000, 11) != _native.simulate(50_000, 12)


def test_a_resumed_training_ends_where_an_uninterrupted_one_does(
    train: Training, simulated: str, tmp_path: Path
) -> None:
    whole, report = train([simulated], threads=1)
    assert report["resumed_merges"] == 0
    stopped = 0
    for stop_at in range(1, report["rounds"], 3):
        checkpoint = tmp_path / f"after-{stop_at}"

        def interrupt(event: dict[str, Any], stop_at: int = stop_at) -> None:
            if event["phase"] == "training" and event["round"] > stop_at:
                raise KeyboardInterrupt

        try:
            train([simulated], threads=1, checkpoint=str(checkpoint), progress=interrupt)
        except KeyboardInterrupt:
            assert checkpoint.is_file()
        else:
            continue  # the rounds after this one were too quick for a progress event
        stopped += 1
        resumed, after = train([simulated], threads=2, checkpoint=str(checkpoint), resume=True)
        assert resumed.to_json() == whole.to_json()
        # All merges, if the last round was over before it saw the interrupt.
        assert 0 < after["resumed_merges"] <= after["merges"]
        assert checkpoint.is_file()  # it is the caller's, who may not have saved the tokenizer yet
    assert stopped > 0


def test_a_checkpoint_of_another_corpus_or_a_damaged_one_is_refused(
    train: Training, simulated: str, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "checkpoint"

    def interrupt(event: dict[str, Any]) -> None:
        if event["phase"] == "training" and event["round"] > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train([simulated], threads=1, checkpoint=str(checkpoint), progress=interrupt)
    content = checkpoint.read_bytes()
    other = dna.write_fasta(tmp_path / "other.fa", ["ACGTTGCA" * 30])
    damaged = [content[: len(content) // 2], b"", b"\x00" * 100, b"[" * 100_000, content[::-1]]
    for bytes_, path in [(content, other), *((part, simulated) for part in damaged)]:
        checkpoint.write_bytes(bytes_)
        with pytest.raises(genotok.GenotokError) as caught:
            train([path], checkpoint=str(checkpoint), resume=True)
        assert "\n" not in str(caught.value)


def test_the_report_says_what_was_read_and_skipped(train: Training, tmp_path: Path) -> None:
    path = dna.write_fasta(tmp_path / "mixed.fa", ["ACGTNNNNACGRYT", "", "uuAC-GT..", "NNN"])
    _, report = train([path], vocab_size=20)
    assert report["files"] == 1
    assert report["records"] == 4
    assert report["words"] == 5  # ACGT ACG T AC GT
    assert report["bases"] == 12
    assert report["skipped"] == {"N": 7, "ambiguity codes": 2, "gaps": 3, "uracil": 2}
    assert report["stopped"] == "no pair left"
    assert train([path], vocab_size=10)[1]["stopped"] == "vocabulary full"
    assert train([path], vocab_size=20, min_frequency=4)[1]["stopped"] == "min_frequency"


def test_the_public_class_trains_likewise(train: Training, tmp_path: Path) -> None:
    paths = [dna.write_fasta(tmp_path / f"{name}.fa", ["ACGGTTACA" * 9, name]) for name in ("AAA", "CC")]
    expected = train(sorted(paths), vocab_size=30)[0].to_json()
    assert train(sorted(paths)[::-1], vocab_size=30)[0].to_json() == expected
    for files in (paths, [str(tmp_path / "*.fa")], str(tmp_path / "*.fa"), [Path(path) for path in paths]):
        tokenizer = genotok.Tokenizer.train(files, vocab_size=30)
        tokenizer.save(tmp_path / "tokenizer.json")
        assert (tmp_path / "tokenizer.json").read_text() == expected == tokenizer.to_json()
        assert tokenizer.merges == reference.train(["ACGGTTACA" * 9] * 2 + ["AAA", "CC"], 30)


# -- real genomes -----------------------------------------------------------------------------------


def assert_equals_hugging_face(
    train: Training, path: Path, vocab_size: int, word_length: int | None, **options: Any
) -> None:
    """Train on a file, and let Hugging Face train on the words that our other reader finds in it."""
    ours, report = train([str(path)], vocab_size=vocab_size, word_length=word_length, **options)
    words = dna.words_of_file(path, word_length)
    assert report["bases"] == sum(map(len, words))
    assert report["words"] == len(words)
    rival = huggingface.train(words, vocab_size, **options)
    assert ours.merges == huggingface.merges(rival)
    assert ours.vocab == huggingface.vocabulary(rival)


@pytest.mark.parametrize(
    ("vocab_size", "word_length", "options"),
    [
        (9, 1000, {}),
        (10, 1000, {}),
        (512, 1000, {}),
        (4096, 1000, {}),
        (4096, 1000, {"min_frequency": 20}),
        (4096, 1000, {"max_token_length": 6}),
        (20_000, 100, {}),
        (1024, None, {}),
    ],
)
def test_phage_lambda(
    train: Training, own_genomes: Path, vocab_size: int, word_length: int | None, options: dict[str, Any]
) -> None:
    assert_equals_hugging_face(train, own_genomes / "lambda_phage.fa", vocab_size, word_length, **options)


@pytest.mark.slow
def test_e_coli(train: Training, own_genomes: Path) -> None:
    assert_equals_hugging_face(train, own_genomes / "ecoli_k12_mg1655.fa", 4096, 1000)


@pytest.mark.slow
def test_yeast_whole(train: Training, genomes: Path) -> None:
    path = genomes / "Saccharomyces_cerevisiae.R64-1-1.dna.toplevel.fa.gz"
    assert_equals_hugging_face(train, path, 4096, 1000)


@pytest.mark.slow
def test_sars_cov_2_with_its_unknown_symbols(train: Training, genomes: Path, tmp_path: Path) -> None:
    """Sixty genomes, nearly equal, so that tokens of hundreds of bases arise; whole words between N."""
    genomes_of_virus = list(dna.read_fasta(genomes / "ncov_example_sequences.fasta.gz"))[:60]
    path = tmp_path / "ncov.fa"
    dna.write_fasta(path, genomes_of_virus)
    assert_equals_hugging_face(train, path, 1500, None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "num_bases", "vocab_size"),
    [(30_000_000, 200_000, 4096), (60_000, 40_000, 1024), (62_000_000, 40_000, 12_000)],
)
def test_pieces_of_human_chromosome_20_as_whole_words(
    train: Training, genomes: Path, tmp_path: Path, start: int, num_bases: int, vocab_size: int
) -> None:
    """Whole, not cut into short words; Hugging Face takes the square of the length for it."""
    chromosome = next(dna.read_fasta(genomes / "hs37_chr20.fa.gz"))
    piece = tmp_path / "piece.fa"
    dna.write_fasta(piece, [chromosome[start : start + num_bases]])
    assert_equals_hugging_face(train, piece, vocab_size, None)
