"""Pre-training: what is trained on, that it learns, and that a run can be stopped anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver, get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")

from transformers import AutoModelForMaskedLM  # noqa: E402

from genotok import Tokenizer  # noqa: E402
from genotok.dataset import TokenDataset  # noqa: E402
from genotok.dataset.encode import encode  # noqa: E402
from genotok.errors import ArgumentError  # noqa: E402
from genotok.model.huggingface import DnaBert2ForMaskedLM  # noqa: E402
from genotok.model_folder.card import Card  # noqa: E402
from genotok.model_folder.tokenizer_files import FolderTokenizer  # noqa: E402
from genotok.model_folder.write import save_folder  # noqa: E402
from genotok.options.learning import ModelRunOptions  # noqa: E402
from genotok.pretrain import PretrainConfig, pretrain  # noqa: E402
from genotok.pretrain.corpus import BaseFilter, PretrainingCorpus, TrainingRun, unigram_costs  # noqa: E402
from genotok.pretrain.run import _model_config  # noqa: E402
from genotok.pretrain.tokens import bases_of_tokens, open_tokens, overlap_of  # noqa: E402
from genotok.tokenizer.special_ids import SpecialIds  # noqa: E402
from genotok.training import checkpoints  # noqa: E402
from genotok.training.batches import Masking  # noqa: E402
from genotok.training.log import cut_log  # noqa: E402
from genotok.training.masked_batches import collate  # noqa: E402
from genotok.training.settings import configured, from_texts, preset, presets  # noqa: E402
from tests.support.tiny_models import tiny_tokenizer  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
LAMBDA = str(ROOT / "genomes" / "lambda_phage.fa")
SMALL = {
    "encoder": "tiny-1m",
    "steps": 12,
    "max_tokens": 40,
    "batch": 8,
    "micro_batch": 8,
    "warmup": 2,
    "learning_rate": 2e-3,
    "evaluate_every": 6,
    "save_every": 4,
    "log_every": 1,
}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    Tokenizer.train(LAMBDA, vocab_size=64).save(path)
    return str(path)


def run(tokenizer: str, folder: Path, **changes: Any) -> dict[str, Any]:
    resume = changes.pop("resume", False)
    config = configured(PretrainConfig, SMALL, changes)
    return pretrain([LAMBDA], folder, config, tokenizer=tokenizer, device="cpu", resume=resume)


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def log(folder: Path, key: str = "loss") -> dict[int, float]:
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return {entry["step"]: entry[key] for entry in entries if key in entry}


# -- what is trained on -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tokens(tokenizer: str, tmp_path_factory: pytest.TempPathFactory) -> TokenDataset:
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "two.fa").write_text(f">a\n{'ACGTTGCATT' * 40}\n>empty\n>b\n{'GGATC' * 31}\n>c\nAC\n")
    encode(Tokenizer.from_file(tokenizer), folder / "two.fa", folder / "two.arrow")
    return TokenDataset(folder / "two.arrow")


@pytest.mark.parametrize("max_tokens", [3, 4, 10, 1000])
def test_pieces_hold_every_token_once_and_no_two_records(
    tokens: TokenDataset, tokenizer: str, max_tokens: int
) -> None:
    special = SpecialIds.of(Tokenizer.from_file(tokenizer))
    corpus = PretrainingCorpus.of(tokens, special, max_tokens, 0.0, [])
    pieces = [corpus.train[number] for number in range(len(corpus.train))]
    assert np.concatenate([piece[1:-1] for piece in pieces]).tolist() == np.concatenate(list(tokens)).tolist()
    assert all((piece[0], piece[-1]) == (special.first, special.end) for piece in pieces)
    longest = max(map(len, pieces))
    assert longest <= max_tokens
    rows = [len(row) for row in tokens if len(row)]
    assert len(pieces) == sum(-(-row // (max_tokens - 2)) for row in rows)


def test_what_is_held_out_is_not_trained_on(tokens: TokenDataset, tokenizer: str) -> None:
    special = SpecialIds.of(Tokenizer.from_file(tokenizer))
    named = PretrainingCorpus.of(tokens, special, 10, 0.5, ["b"])
    ids = np.concatenate([named.held_out[number][1:-1] for number in range(len(named.held_out))])
    assert ids.tolist() == tokens[2].tolist()
    last = PretrainingCorpus.of(tokens, special, 10, 0.25, [])
    everything = PretrainingCorpus.of(tokens, special, 10, 0.0, []).train
    assert len(last.train) + len(last.held_out) == len(everything)
    assert last.held_out[len(last.held_out) - 1].tolist() == everything[len(everything) - 1].tolist()
    with pytest.raises(ArgumentError, match="hold_out=x: no such record; there are a, b, c, empty"):
        PretrainingCorpus.of(tokens, special, 10, 0.0, ["x"])
    with pytest.raises(ArgumentError, match="no sequences are left"):
        PretrainingCorpus.of(tokens, special, 10, 0.0, ["a", "b", "c"])


def test_a_run_is_a_function_of_its_seed(tokens: TokenDataset, tokenizer: str) -> None:
    special = SpecialIds.of(Tokenizer.from_file(tokenizer))
    pieces = PretrainingCorpus.of(tokens, special, 10, 0.0, []).train
    one, other = (TrainingRun(pieces, Masking(special), 500, seed) for seed in (1, 2))
    again = TrainingRun(pieces, Masking(special), 500, 1)
    assert all((a == b).all() for a, b in zip(one[333], again[333], strict=True))
    assert any(one[place][0].tolist() != other[place][0].tolist() for place in range(5))
    with pytest.raises(IndexError):
        one[500]


def test_bases_of_tokens_are_those_they_add(tokenizer: str) -> None:
    byte_pairs = Tokenizer.from_file(tokenizer)
    bases = bases_of_tokens(byte_pairs)
    assert bases[byte_pairs.encode("ACGTACCA" * 9)].sum() == 72
    assert bases[byte_pairs.vocab["[MASK]"]] == 0
    assert set(bases_of_tokens(Tokenizer.kmer(3, overlap=True)).tolist()) == {0, 1}
    apart = Tokenizer.kmer(3, overlap=False)
    assert bases_of_tokens(apart)[apart.encode("ACGTANN")].sum() == 5
    assert [overlap_of(one) for one in (byte_pairs, Tokenizer.kmer(3, overlap=True), apart)] == [0, 2, 0]


def test_rows_of_bases_alone_are_the_same_for_all_tokenizers(tokenizer: str, tmp_path: Path) -> None:
    genome = tmp_path / "genome.fa"
    words = ["ACGTTGCA" * 5, "N" * 20, "acgt" * 10, "ACGTNACG", "GATTACAG" * 4 + "AC"]
    genome.write_text("".join(f">{number}\n{word}\n" for number, word in enumerate(words)))
    apart, overlapping = Tokenizer.kmer(3, overlap=False), Tokenizer.kmer(3, overlap=True)
    for name, one in {"bpe": Tokenizer.from_file(tokenizer), "apart": apart, "over": overlapping}.items():
        place = tmp_path / name
        encode(one, genome, f"{place}/", window=8, stride=8, unknown="split", uppercase=True)
        only = BaseFilter(8, bases_of_tokens(one), overlap_of(one))
        corpus = PretrainingCorpus.of(TokenDataset(place), SpecialIds.of(one), 10, 0.0, [], only)
        assert len(corpus.train) == 5 + 0 + 5 + 0 + 4
        ends = len(SpecialIds.of(one).behind)  # k-mers without overlap have `<cls>` in front alone
        inner = [corpus.train[number][1:] for number in range(len(corpus.train))]
        rows = [one.decode(ids[: len(ids) - ends].tolist()) for ids in inner]
        assert rows == ["ACGTTGCA"] * 5 + ["ACGTACGT"] * 5 + ["GATTACAG"] * 4


def test_costs_by_frequency_are_a_distribution(tokens: TokenDataset, tokenizer: str) -> None:
    special = SpecialIds.of(Tokenizer.from_file(tokenizer))
    pieces = PretrainingCorpus.of(tokens, special, 10, 0.0, []).train
    assert np.exp(-unigram_costs(pieces, 64)).sum() == pytest.approx(1)


# -- runs -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tokenizer: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "model"
    run(tokenizer, folder)
    return folder


def test_a_run_leaves_a_model_that_transformers_loads(whole: Path, tokenizer: str) -> None:
    model = AutoModelForMaskedLM.from_pretrained(whole)
    assert model.config.vocab_size == 64
    assert model.config.pad_token_id == 3
    read, saved = (Tokenizer.from_file(path) for path in (tokenizer, whole / "tokenizer.json"))
    assert saved == FolderTokenizer(read, SpecialIds.of(read)).self_contained()
    report = json.loads((whole / "pretrain.json").read_text())
    assert report["steps"] == 12
    assert report["eval_masked_tokens"] > 0
    assert report["config"]["batch"] == 8
    assert [step for step, _ in checkpoints.checkpoints(whole)] == [8, 12]
    assert sorted(log(whole)) == list(range(1, 13))
    assert sorted(log(whole, "eval_bits_per_base")) == [6, 12]


def test_gathered_weights_leave_the_same_file(whole: Path, tokenizer: str, tmp_path: Path) -> None:
    model = AutoModelForMaskedLM.from_pretrained(whole)
    gathered = {name: weight.clone() for name, weight in model.state_dict().items()}
    read = Tokenizer.from_file(tokenizer)
    kept: dict[str, Any] = {"tokenizer": FolderTokenizer(read, SpecialIds.of(read)), "card": Card("", "")}
    save_folder(model, tmp_path / "m", weights=gathered, **kept)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "README.md").write_text("my own")
    save_folder(model, tmp_path / "run", beside=True, **kept)
    assert (tmp_path / "run" / "README.md").read_text() == "my own"
    assert (tmp_path / "run" / "MODEL_CARD.md").read_text() == (tmp_path / "m" / "README.md").read_text()
    name = "model.safetensors"
    assert (tmp_path / "m" / name).read_bytes() == (whole / name).read_bytes()


def test_a_run_that_is_gone_on_with_ends_at_the_same_weights(
    whole: Path, tokenizer: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"

    class Stop(Exception):  # noqa: N818 - no error
        pass

    def stop(event: dict[str, Any]) -> None:
        if event.get("step") == 7:
            raise Stop

    config = configured(PretrainConfig, SMALL)
    with pytest.raises(Stop):
        pretrain([LAMBDA], folder, config, tokenizer=tokenizer, device="cpu", progress=stop)
    (folder / ".saving-8").mkdir()  # as a kill in the middle of a checkpoint leaves it
    assert run(tokenizer, folder, resume=True)["resumed_at"] == 4
    assert weights(folder) == weights(whole)
    assert log(folder) == log(whole)
    assert not list(folder.glob(".saving*"))


def live(folder: Path, tokenizer: str, step: int, change: int) -> None:
    """A life of a run, started or resumed: it ends at a step, or at the n-th change to its folder."""
    left = change

    def watch_changes(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event not in {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"}:
            return
        for_reading = event == "open" and not set(str(arguments[1])) & set("wax+")
        if not for_reading and str(arguments[0]).startswith(str(folder)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch_steps(event: dict[str, Any]) -> None:
        if step and event.get("step") == step:
            os.kill(os.getpid(), signal.SIGKILL)

    torch.set_num_threads(1)
    sys.addaudithook(watch_changes)
    config, resume = configured(PretrainConfig, SMALL), (folder / checkpoints.RUN).exists()
    pretrain([LAMBDA], folder, config, tokenizer=tokenizer, device="cpu", resume=resume, progress=watch_steps)


@pytest.fixture(scope="module")
def ends_by_a_kill() -> Iterator[Callable[..., bool]]:
    """Lives a life in a process of its own, forked from one that has loaded all and computed nothing."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])

    def end(folder: Path, tokenizer: str, *, step: int = 0, change: int = 0) -> bool:
        process = context.Process(target=live, args=(folder, tokenizer, step, change))
        process.start()
        process.join()
        assert process.exitcode in {0, -signal.SIGKILL}
        return process.exitcode != 0

    yield end
    forkserver._forkserver._stop()


@pytest.mark.slow
def test_a_run_killed_at_every_step_ends_at_the_same_weights(
    whole: Path, tokenizer: str, tmp_path: Path, ends_by_a_kill: Callable[..., bool]
) -> None:
    folder = tmp_path / "model"
    lives = [ends_by_a_kill(folder, tokenizer, step=step) for step in range(1, SMALL["steps"] + 2)]
    assert lives == [True] * SMALL["steps"] + [False]
    assert weights(folder) == weights(whole)
    assert log(folder) == log(whole)


@pytest.mark.slow
def test_a_run_killed_while_it_writes_ends_at_the_same_weights(
    whole: Path, tokenizer: str, tmp_path: Path, ends_by_a_kill: Callable[..., bool]
) -> None:
    folder, moment = tmp_path / "model", 1
    while ends_by_a_kill(folder, tokenizer, change=moment):
        assert moment < 500
        moment += 1
    assert moment > 15
    assert weights(folder) == weights(whole)
    assert log(folder) == log(whole)
    assert not list(folder.glob(".saving*"))


@pytest.mark.slow
def test_a_killed_run_goes_on(whole: Path, tokenizer: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    command = [sys.executable, "-m", "genotok", "pretrain", LAMBDA, "-t", tokenizer, "-o", str(folder), "-q"]
    command += ["--device", "cpu", "--threads", "1", "--preset", str(tmp_path / "small.toml")]
    text = "\n".join(f"{key} = {json.dumps(value)}" for key, value in SMALL.items())
    (tmp_path / "small.toml").write_text(text)
    with subprocess.Popen(command) as process:
        while not (folder / "log.jsonl").exists() or len((folder / "log.jsonl").read_text().splitlines()) < 6:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not (folder / "pretrain.json").exists()
    subprocess.run([*command, "--resume"], check=True, timeout=120)
    assert weights(folder) == weights(whole)


@pytest.mark.slow
def test_two_processes_train_what_one_does(tokenizer: str, tmp_path: Path) -> None:
    plain = run(tokenizer, tmp_path / "one", dropout=0.0)
    text = "\n".join(f"{key} = {json.dumps(value)}" for key, value in (SMALL | {"dropout": 0.0}).items())
    (tmp_path / "small.toml").write_text(text)
    launcher = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        "29571",
    ]
    command = ["-m", "genotok", "pretrain", LAMBDA, "-t", tokenizer, "-o", str(tmp_path / "two"), "--json"]
    command += ["--device", "cpu", "--threads", "1", "--preset", str(tmp_path / "small.toml")]
    done = subprocess.run(
        [*launcher, *command],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["processes"] == 2
    one, two = log(tmp_path / "one"), log(tmp_path / "two")
    assert [two[step] for step in one] == pytest.approx(list(one.values()), abs=1e-4)
    assert report["eval_loss"] == pytest.approx(plain["eval_loss"], abs=1e-4)
    assert report["eval_masked_tokens"] == plain["eval_masked_tokens"]


def test_accumulated_batches_are_one_batch(tokenizer: str, tmp_path: Path) -> None:
    at_once = run(tokenizer, tmp_path / "a", dropout=0.0, steps=4, warmup=0)
    in_parts = run(tokenizer, tmp_path / "b", dropout=0.0, steps=4, warmup=0, micro_batch=2)
    assert in_parts["eval_loss"] == pytest.approx(at_once["eval_loss"], abs=1e-4)
    assert log(tmp_path / "b") == pytest.approx(log(tmp_path / "a"), abs=1e-4)


def test_a_model_learns_its_batch_by_heart(tokenizer: str) -> None:
    special = SpecialIds.of(Tokenizer.from_file(tokenizer))
    sequence = Path(LAMBDA).read_text().split("\n", 1)[1].replace("\n", "")[:600]
    ids = np.array(Tokenizer.from_file(tokenizer).encode(sequence))
    rows = [special.around(ids[first : first + 30]) for first in range(0, 180, 30)]
    batch = collate(
        [Masking(special).apply(row, 1, number) for number, row in enumerate(rows)], special.padding
    )
    torch.manual_seed(0)
    model = DnaBert2ForMaskedLM(_model_config(configured(PretrainConfig, SMALL, {"dropout": 0.0}), special))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    losses = []
    for _ in range(200):
        loss = model(**batch).loss
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert losses[0] > 3
    assert losses[-1] < losses[0] / 10


def test_token_folders_are_read_as_they_are(whole: Path, tokenizer: str, tmp_path: Path) -> None:
    encode(Tokenizer.from_file(tokenizer), LAMBDA, f"{tmp_path}/shards/", unknown="split", uppercase=True)
    config = configured(PretrainConfig, SMALL)
    pretrain([f"{tmp_path}/shards"], tmp_path / "model", config, device="cpu")
    assert weights(tmp_path / "model") == weights(whole)
    other = tmp_path / "other.json"
    Tokenizer.train(LAMBDA, vocab_size=32).save(other)
    with pytest.raises(ArgumentError, match="encoded with 64 tokens, and the tokenizer has 32"):
        pretrain([f"{tmp_path}/shards"], tmp_path / "no", config, tokenizer=str(other), device="cpu")
    of_the_model = Tokenizer.from_file(
        whole / "tokenizer.json"
    )  # it upper-cases, and has the same vocabulary
    files = [f"{tmp_path}/shards"]
    assert len(open_tokens(files, tmp_path, of_the_model, 0.1, ModelRunOptions(threads=1))) == 1


def test_tokens_of_another_vocabulary_of_the_same_size_are_refused(tokenizer: str, tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">a\n" + "ACGTTGCATT" * 40 + "\n")
    other = Tokenizer.train(tmp_path / "a.fa", vocab_size=64)
    one = Tokenizer.from_file(tokenizer).truncate(other.vocab_size)
    encode(one, LAMBDA, tmp_path / "tokens.arrow")
    encode(one, LAMBDA, f"{tmp_path}/shards/")
    for files in ([str(tmp_path / "tokens.arrow")], [str(tmp_path / "shards")]):
        with pytest.raises(ArgumentError, match="encoded with another tokenizer of"):
            open_tokens(files, tmp_path, other, 0.1, ModelRunOptions(threads=1))
        assert len(open_tokens(files, tmp_path, one, 0.1, ModelRunOptions(threads=1))) == 1


def test_a_folder_in_use_and_another_run_are_refused(whole: Path, tokenizer: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="is there already; --resume"):
        run(tokenizer, whole)
    with pytest.raises(ArgumentError, match="holds no run to resume"):
        run(tokenizer, tmp_path, resume=True)
    with pytest.raises(ArgumentError, match=r"steps=13: the run to resume has 12"):
        run(tokenizer, whole, resume=True, steps=13)
    assert weights(whole)


# -- settings ---------------------------------------------------------------------------------------


def test_all_presets_are_whole() -> None:
    assert presets("genotok.pretrain") == ["dnabert2", "small", "tiny"]
    for name in presets("genotok.pretrain"):
        config = configured(PretrainConfig, preset("genotok.pretrain", name))
        assert config.encoder.endswith("-bases") == (name != "dnabert2")
    paper = configured(PretrainConfig, preset("genotok.pretrain", "dnabert2"))
    assert (paper.batch, paper.max_tokens, paper.steps, paper.warmup) == (4096, 128, 500_000, 30_000)
    assert (paper.learning_rate, paper.beta1, paper.beta2, paper.epsilon) == (5e-4, 0.9, 0.98, 1e-6)
    assert (paper.weight_decay, paper.mask_share, paper.dropout) == (1e-5, 0.15, 0.1)
    assert paper.accumulation(8) == 8


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["step=3"], "step: no such setting"),
        (["steps"], "key=value is expected"),
        (["steps=many"], "steps='many': a value of type int"),
        (["steps=true"], "a value of type int"),
        (["steps=0"], "at least 1"),
        (["encoder=huge"], "encoder=huge: one of dnabert2-117m"),
        (["precision=int8"], "one of float32, bf16, fp16"),
        (["mask_share=1.5"], "a share from 0 to 1"),
        (["warmup=99"], "at most steps=12"),
        (["learning_rate=2"], "between 0 and 1"),
    ],
)
def test_settings_are_checked(changes: list[str], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        configured(PretrainConfig, SMALL, from_texts(changes))


def test_a_preset_that_is_not_there_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="preset=big: one of dnabert2, small, tiny"):
        preset("genotok.pretrain", "big")
    (tmp_path / "x.toml").write_text("steps = = 3")
    with pytest.raises(ArgumentError, match=r"x\.toml: not TOML"):
        preset("genotok.pretrain", str(tmp_path / "x.toml"))
    with pytest.raises(ArgumentError, match="encoder, steps: no value"):
        configured(PretrainConfig)
    with pytest.raises(ArgumentError, match="batch=10: a multiple of 8"):
        configured(PretrainConfig, SMALL, {"batch": 10}).accumulation(1)


def test_what_could_not_be_removed_is_removed_by_the_next_run(tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">a\nACGTACGTTAGG\n")
    place, given = tmp_path / "tokens", ([str(tmp_path / "a.fa")], tmp_path, tiny_tokenizer(20), 0.0)
    open_tokens(*given, ModelRunOptions())
    names = sorted(path.name for path in place.iterdir())
    for left in (".genotok-folder.lock", "unfinished.jsonl"):
        (place / left).touch()
        assert len(open_tokens(*given, ModelRunOptions())) == 1
        assert sorted(path.name for path in place.iterdir()) == names


def test_a_log_is_cut_where_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1}\n{"step": 5}\n{"step": 9}\n{"ste')
    cut_log(path, 5)
    assert path.read_text() == '{"step": 1}\n{"step": 5}\n'
    path.write_text('{"step": 5}\n{"step": 5, "train_runtime": 2.0}\n{"step": 5, "eval_loss": 1.5}\n')
    cut_log(path, 5)
    assert path.read_text() == '{"step": 5}\n', "the summary and what follows are written again"
    cut_log(tmp_path / "none", 3)
