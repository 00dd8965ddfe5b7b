"""One verdict: every command says the same of a file that is none of nucleotides, or only in part."""

from __future__ import annotations

import json
import random
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import genotok
from genotok import _native
from genotok.cli import app
from genotok.corpus.verdict import Composition, check_sequence, describe, known_symbols
from tests.support.program import run

try:
    import torch

    from genotok.model import EncoderConfig
    from genotok.model.huggingface import (
        DnaBert2Config,
        DnaBert2ForMaskedLM,
        DnaBert2ForSequenceClassification,
    )
except ImportError:
    HAS_TORCH = False
else:
    HAS_TORCH = True

DNA = "".join(random.Random(1).choices("ACGT", k=4000))
ROW = 40

REFUSED, REPORTED, SILENT = "refused", "reported", "silent"

PROTEIN = "'L' stands for no nucleotide; this looks like protein, and genotok reads DNA"
NO_SYMBOL = "no symbol in its 2 records; is the file cut short?"
NO_BASE = "no base (A, C, G, T) in its {records} records; is this the right file?"
RNA = "% of its 4000 symbols other than N are unknown (1000 U); U is RNA: write T for it, as sed"
OVERRIDE = "--allow-unknown 1 (allow_unknown=1) reads the file as it is"


def every(symbol: str, distance: int) -> str:
    """The sequence with a symbol at each so manieth place."""
    return "".join(symbol if place % distance == 0 else base for place, base in enumerate(DNA))


# name: (sequence, the verdict, what is said of it)
SEQUENCES = {
    "protein": (every("L", 800), REFUSED, (PROTEIN,)),
    "all N": ("N" * 4000, REFUSED, (NO_BASE,)),
    "RNA": (every("U", 4), REFUSED, ("25.0 ", RNA, OVERRIDE)),
    "a third IUPAC": (every("R", 3), REFUSED, ("33.4 %", "1334 ambiguity codes", OVERRIDE)),
    "an alignment": (every("-", 5), REFUSED, ("20.0 %", "800 gaps", "remove them", OVERRIDE)),
    "5 % IUPAC": (every("R", 20), REPORTED, ("5.0 %", "(200 ambiguity codes)")),
    "5 % U": (every("U", 20), REPORTED, ("5.0 %", "(200 U)", "sed")),
    "soft-masked": (DNA[:2000] + DNA[2000:].lower(), SILENT, ()),
    "half N": (DNA[:2000] + "N" * 2000, SILENT, ()),
    "plain": (DNA, SILENT, ()),
}
FILES = {
    "header-only": (">a\n>b\n", (NO_SYMBOL,)),
    "empty file": ("", ("is empty",)),
}

COMMANDS = {
    "train-bpe": "train-bpe --vocab 32 -o made.json",
    "pack": "pack -o made.pack",
    "pack into shards": "pack -o made/",
    "check": "check",
    "study": "study tokenizer.json --kmers bases",
    "encode": "encode -o made.arrow",
    "encode into shards": "encode -o made/",
    "encode, split": "encode --unknown split --window 50 -o made.parquet",
    "encode k-mers": "encode -t kmers.json --uppercase -o made.arrow",
    "embed": "embed --model model -o made.parquet",
    "pretrain": "pretrain -t tokenizer.json --set steps=1 --set warmup=0 --set batch=2 -o made",
}
TABLE_COMMANDS = {
    "embed": "embed --model model -o made.parquet {file}",
    "finetune": "finetune set --model model --seeds 1 --set max_steps=1 --set batch=2 -o made",
    "predict": "predict --model classifier -o made.parquet {file}",
    "evaluate": "evaluate --model classifier {file}",
    "gue audit": "gue audit set",
    "gue audit, tokens": "gue audit set -t tokenizer.json",
}
NEED_A_MODEL = {"embed", "pretrain", "finetune", "predict", "evaluate"}


def fasta(sequence: str) -> str:
    return "".join(f">r{at}\n{sequence[at : at + 100]}\n" for at in range(0, len(sequence), 100))


def table(sequence: str) -> str:
    rows = (f"{sequence[at : at + ROW]},{at // ROW % 2}\n" for at in range(0, len(sequence), ROW))
    return "sequence,label\n" + "".join(rows)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer, k-mers and, where torch is, a model and a classifier."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / "dna.fa").write_text(fasta(DNA))
    tokenizer = genotok.Tokenizer.train(folder / "dna.fa", vocab_size=32)
    tokenizer.save(folder / "tokenizer.json")
    genotok.Tokenizer.kmer(3).save(folder / "kmers.json")
    if not HAS_TORCH:
        return folder
    torch.manual_seed(0)
    config = EncoderConfig.preset("tiny-1m", vocab_size=32)
    for name, kind in (("model", DnaBert2ForMaskedLM), ("classifier", DnaBert2ForSequenceClassification)):
        classes = {"id2label": {0: "0", 1: "1"}, "label2id": {"0": 0, "1": 1}}
        kind(DnaBert2Config(**config.to_published(), **classes)).save_pretrained(folder / name)
        tokenizer.save(folder / name / "tokenizer.json")
    return folder


Runner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Runs a command in a process of its own, or in this one if it would load torch anew."""

    def here(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr("sys.argv", ["genotok", *words])
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            code = app._run()
        return subprocess.CompletedProcess(words, int(code or 0), *capsys.readouterr())

    return lambda *words, folder: (here if words[0] in NEED_A_MODEL else run)(*words, folder=folder)


def made_with(tools: Path, folder: Path) -> Path:
    for path in tools.iterdir():
        (folder / path.name).symlink_to(path)
    return folder


def judged(done: subprocess.CompletedProcess[str], verdict: str, said: tuple[str, ...], records: int) -> None:
    """The command's exit code and words are those of the verdict, in one line."""
    told = done.stderr + (done.stdout if "no errors" not in done.stdout else "")
    parts = [part.format(records=records) for part in said]
    if verdict == REFUSED:
        assert done.returncode == 1, told
        assert all(part in told for part in parts), told
        assert "Traceback" not in told
        return
    assert done.returncode == 0, told
    lines = [line for line in done.stderr.splitlines() if "unknown" in line]
    if verdict == SILENT:
        assert not lines
    else:
        assert any(all(part in line for part in parts) for line in lines), told


CASES = {name: (fasta(text), verdict, said) for name, (text, verdict, said) in SEQUENCES.items()} | {
    name: (text, REFUSED, said) for name, (text, said) in FILES.items()
}
# Commands that take seconds see the kinds of verdict; which file gets which is one piece of code.
SLOW = {"pretrain", "study", "embed", "finetune", "predict", "evaluate"}
SHOWN = {"protein", "RNA", "5 % U"}


@pytest.mark.parametrize(
    ("command", "case"),
    [(command, case) for command in COMMANDS for case in CASES if command not in SLOW or case in SHOWN]
    + [("embed", "header-only"), ("study", "all N")],
)
def test_sequence_files_get_one_verdict(
    tools: Path, tmp_path: Path, program: Runner, command: str, case: str
) -> None:
    if command in NEED_A_MODEL and not HAS_TORCH:
        pytest.skip("needs torch: the extra `train`")
    text, verdict, said = CASES[case]
    folder = made_with(tools, tmp_path)
    (folder / "a.fa").write_text(text)
    done = program(*COMMANDS[command].split(), "a.fa", folder=folder)
    if command == "check" and case == "protein":
        said = ("found 'L' in the sequence",)  # the linter names each line
    if command == "check" and verdict == REPORTED:
        verdict, said = SILENT, ()  # its table has them by kind
    judged(done, verdict, said, records=40)


@pytest.mark.parametrize(
    ("command", "case"),
    [
        (command, case)
        for command in TABLE_COMMANDS
        for case in SEQUENCES
        if command not in SLOW or case in SHOWN
    ],
)
def test_tables_get_the_same_verdict(
    tools: Path, tmp_path: Path, program: Runner, command: str, case: str
) -> None:
    if command in NEED_A_MODEL and not HAS_TORCH:
        pytest.skip("needs torch: the extra `train`")
    sequence, verdict, said = SEQUENCES[case]
    folder = made_with(tools, tmp_path)
    (folder / "set").mkdir()
    for split in ("train", "dev", "test"):
        (folder / "set" / f"{split}.csv").write_text(table(sequence))
    done = program(*TABLE_COMMANDS[command].format(file="set/test.csv").split(), folder=folder)
    judged(done, verdict, said, records=100)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in SLOW])
def test_a_share_that_is_allowed_is_read_and_reported(tools: Path, tmp_path: Path, command: str) -> None:
    folder = made_with(tools, tmp_path)
    (folder / "a.fa").write_text(fasta(every("U", 4)))
    words = COMMANDS[command].split()
    assert run(*words, "--allow-unknown", "0.24", "a.fa", folder=folder).returncode == 1
    # A folder keeps what is done of a run that failed.
    resume = ["--resume"] if command == "encode into shards" else []
    done = run(*words, *resume, "--allow-unknown", "0.25", "a.fa", folder=folder)
    judged(done, SILENT if command == "check" else REPORTED, () if command == "check" else ("(1000 U)",), 40)
    assert run(*words, "--allow-unknown", "2", "a.fa", folder=folder).returncode == 2


def test_predictions_of_rna_say_so_in_json(tools: Path, tmp_path: Path, program: Runner) -> None:
    if not HAS_TORCH:
        pytest.skip("needs torch: the extra `train`")
    folder = made_with(tools, tmp_path)
    (folder / "a.csv").write_text(table(every("U", 4)))
    allowed = ("a.csv", "--model", "classifier", "--allow-unknown", "1", "--json")
    for words in (("predict", "-o", "made.parquet"), ("evaluate",)):
        done = program(*words, *allowed, folder=folder)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["unknown"] == {"uracil": 1000}
        assert "25.0 %" in done.stderr


def test_files_are_judged_one_by_one_and_bases_looked_for_in_all(tools: Path, tmp_path: Path) -> None:
    folder = made_with(tools, tmp_path)
    (folder / "n.fa").write_text(fasta("N" * 300))
    (folder / "m.fa").write_text(fasta("n" * 200))
    (folder / "rna.fa").write_text(fasta(every("U", 4)[:400]))
    for number, words in enumerate(("train-bpe --vocab 32 -o {}.json", "pack -o {}.pack", "pack -o {}/",
                                    "encode -o {}.arrow", "encode -o {}.d/", "encode -t kmers.json -o k{}/",
                                    "check")):  # fmt: skip
        command = words.format(f"made{number}").split()
        refused = run(*command, "n.fa", "m.fa", folder=folder)
        assert refused.returncode == 1, command
        assert "n.fa: " in refused.stderr + refused.stdout
        assert NO_BASE.format(records=5).split(";")[0] in refused.stderr + refused.stdout
        refused = run(*command, "dna.fa", "n.fa", "rna.fa", folder=folder)
        assert refused.returncode == 1, command
        assert "rna.fa: " in refused.stderr + refused.stdout
        command = words.format(f"read{number}").split()
        read = run(*command, "dna.fa", "n.fa", "--json", folder=folder)
        assert read.returncode == 0, read.stderr


# -- in Python --------------------------------------------------------------------------------------


def reading(folder: Path, text: str) -> list[Callable[[], object]]:
    """The ways in which Python reads a sequence file."""
    path = folder / "a.fa"
    path.write_text(text)
    tokenizer = genotok.Tokenizer.kmer(1)
    return [
        lambda: genotok.Tokenizer.train(path, vocab_size=16),
        lambda: genotok.pack(path, folder / "a.pack"),
        lambda: list(tokenizer.encode_files(path)),
        lambda: list(tokenizer.encode_files(path, window=9, unknown="split")),
        lambda: genotok.Tokenizer.kmer(2, overlap=False).encode_files(path).__next__(),
    ]


@pytest.mark.parametrize("case", [name for name, (_, verdict, _) in CASES.items() if verdict == REFUSED])
def test_all_readers_raise_the_same(tmp_path: Path, case: str) -> None:
    raised = []
    for read in reading(tmp_path, CASES[case][0]):
        with pytest.raises(genotok.GenotokError) as caught:
            read()
        raised.append((type(caught.value), str(caught.value)))
    assert len(set(raised)) == 1, raised
    kind = genotok.SymbolError if case == "protein" else genotok.SequenceFileError
    assert raised[0][0] is kind


def test_what_a_vocabulary_has_is_not_unknown(tmp_path: Path) -> None:
    """Neither N nor U; and N in a vocabulary does not hide the rest."""
    tokenizer = genotok.Tokenizer.kmer(2, overlap=False)
    assert known_symbols(tokenizer, uppercase=False) == b"ACGNT"
    assert known_symbols(tokenizer, uppercase=True) == b"ACGNTacgnt"
    path = tmp_path / "a.fa"
    path.write_text(fasta(every("R", 5) + "N" * 40_000))
    with pytest.raises(genotok.SequenceFileError, match=r"20\.0 % of its 4000 symbols other than N"):
        list(tokenizer.encode_files(path))


def test_few_unknown_symbols_are_no_reason(tmp_path: Path) -> None:
    path = tmp_path / "primers.fa"
    path.write_text(">a\nGTGYCAGCMGCCGCGGTAA\n")
    assert len(list(genotok.Tokenizer.kmer(1).encode_files(path))) == 1
    assert genotok.check_files(path)[0]["errors"] == 0


def test_sequences_of_tables_are_judged_symbol_by_symbol() -> None:
    for text in ("ACGTRYSWKMBDHVN", "acgtun-.", ""):
        check_sequence("a.csv", 2, text)
    with pytest.raises(genotok.SymbolError, match=rf"a\.csv: line 1,002, position 2: {PROTEIN}"):
        check_sequence("a.csv", 1002, "ACLT")
    for wrong in "1 ~\x00>é":
        with pytest.raises(genotok.SequenceFileError, match=r"a\.csv: line 3: .* in a sequence"):
            check_sequence("a.csv", 3, f"AC{wrong}T")
    found = Composition(["ACGTU" * 30, "NNNN", "acgtR"])
    assert (found.symbols, found.rows) == (159, 3)
    assert found.judge("a.csv", allow_unknown=0.2) == {"N": 4, "ambiguity codes": 1, "uracil": 30}
    assert found.judge("a.csv", b"ACGTUacgt", 0.1) == {"N": 4, "ambiguity codes": 1}
    with pytest.raises(genotok.SequenceFileError, match=r"20\.0 % of its 155 symbols"):
        found.judge("a.csv")
    with pytest.raises(genotok.ArgumentError, match="allow_unknown"):
        found.judge("a.csv", allow_unknown=1.5)
    assert _native.MAX_UNKNOWN == 0.1


def test_what_is_said_of_unknown_symbols() -> None:
    assert describe(100, {}) == describe(100, {"N": 60}) == describe(100, {"bases": 60}) == ""
    assert describe(100, {"N": 50, "ambiguity codes": 5}) == (
        "10.0 % of its 50 symbols other than N are unknown (5 ambiguity codes)"
    )
    assert describe(10**6, {"ambiguity codes": 3}).startswith("less than 0.1 % of its 1000000 symbols")
