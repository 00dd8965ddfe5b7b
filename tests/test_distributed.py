"""Training over Ray gives the file that one process gives, whatever happens to its workers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

ray = pytest.importorskip("ray", reason="needs ray: the extra `ray`")

from genotok import Tokenizer, _native, distributed, errors  # noqa: E402
from genotok.corpus.packed import pack_shards  # noqa: E402
from genotok.dataset import verify_folder  # noqa: E402
from genotok.dataset.encode import encode  # noqa: E402
from genotok.distributed import Workers, workers  # noqa: E402
from genotok.distributed import cluster as cluster_module  # noqa: E402
from genotok.distributed.storage import fetch  # noqa: E402
from genotok.distributed.workers import balanced  # noqa: E402
from genotok.options import RunOptions  # noqa: E402

# Ray itself opens sockets and files that it leaves to the collector.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Four files of simulated DNA, one of them packed, and a small one with symbols that are no bases."""
    folder = tmp_path_factory.mktemp("genomes")
    found = []
    for number, bases in enumerate((900_000, 400_000, 700_000, 500_000)):
        path = folder / f"{number}.fa"
        path.write_bytes(b">r\n" + _native.simulate(bases, number) + b"\n")
        found.append(str(path))
    _native.pack(found[3:], str(folder / "3.pack"), _native.MAX_UNKNOWN, RunOptions())
    found[3] = str(folder / "3.pack")
    (folder / "n.fa").write_text(">n\nACGTNNNNacgtRYACGTACGTAAAAAAAAAA\n>empty\nNNN\n")
    return [*found, str(folder / "n.fa")]


@pytest.fixture(scope="module")
def alone(files: list[str]) -> Tokenizer:
    return Tokenizer.train(files, vocab_size=700)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """One Ray for all tests: starting one takes seconds."""
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


SAME = ("files", "records", "empty_records", "words", "bases", "skipped", "tokens", "fingerprint", "stopped")


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.usefixtures("cluster")
def test_any_number_of_workers_makes_the_same_file(files: list[str], alone: Tokenizer, workers: int) -> None:
    events: list[dict[str, Any]] = []
    found = distributed.train(files, vocab_size=700, workers=workers, progress=events.append)
    assert found.to_json() == alone.to_json()
    assert found.report is not None
    assert alone.report is not None
    for key in SAME:
        assert found.report[key] == alone.report[key], key  # type: ignore[literal-required]
    assert {event["phase"] for event in events} <= {"training"}


@pytest.mark.usefixtures("cluster")
def test_strands_and_pieces_count_as_in_one_process(files: list[str]) -> None:
    options: dict[str, Any] = {
        "vocab_size": 300,
        "both_strands": True,
        "word_length": 1000,
        "max_token_length": 9,
        "special_tokens": ["[UNK]"],
    }
    there = distributed.train(files, workers=3, **options)
    here = Tokenizer.train(files, **options)
    assert there.to_json() == here.to_json()
    assert there.report is not None
    assert here.report is not None
    assert there.report["words"] == here.report["words"]
    assert there.report["bases_per_token"] == here.report["bases_per_token"]


@pytest.mark.usefixtures("cluster")
def test_a_worker_that_is_killed_in_a_round_is_replaced(
    files: list[str], alone: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, killed = 0, []
    ask = Workers.ask

    def ask_and_kill(self: Workers, question: bytes, look: Any = None) -> bytes:
        nonlocal asked
        asked += 1
        if asked in {1, 3, 5, 6}:  # at the first question, when nothing is read, and in rounds
            victim = self.actors[asked % 2]
            killed.append(asked)
            threading.Timer(0.02, ray.kill, [victim]).start()
        return ask(self, question, look)

    monkeypatch.setattr(Workers, "ask", ask_and_kill)
    found = distributed.train(files, vocab_size=700, workers=2)
    assert len(killed) >= 3
    assert found.to_json() == alone.to_json()


@pytest.mark.usefixtures("cluster")
def test_an_interrupted_training_goes_on_from_its_checkpoint(
    files: list[str], alone: Tokenizer, tmp_path: Path
) -> None:
    checkpoint = tmp_path / "checkpoint"

    def stop(event: dict[str, Any]) -> None:
        if event["merges"] > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distributed.train(files, vocab_size=700, workers=2, checkpoint=checkpoint, progress=stop)
    merges = json.loads(checkpoint.read_text())["merges"]
    assert 0 < len(merges) < 691
    found = distributed.train(files, vocab_size=700, workers=3, checkpoint=checkpoint, resume=True)
    assert found.report is not None
    assert found.report["resumed_merges"] == len(merges)
    assert found.to_json() == alone.to_json()
    # A checkpoint knows nothing of Ray.
    here = Tokenizer.train(files, vocab_size=700, checkpoint=checkpoint, resume=True)
    assert here.to_json() == alone.to_json()


@pytest.mark.usefixtures("cluster")
def test_what_a_worker_cannot_read_is_said_as_here(files: list[str], tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pack"
    shutil.copy(files[3], damaged)
    data = bytearray(damaged.read_bytes())
    data[5000] ^= 1
    damaged.write_bytes(data)
    with pytest.raises(errors.SequenceFileError, match=r"damaged\.pack: this packed file is damaged"):
        distributed.train([files[0], damaged], vocab_size=300, workers=2)
    with pytest.raises(FileNotFoundError):
        distributed.train([tmp_path / "none.fa"], vocab_size=300)
    (tmp_path / "n.fa").write_text(">n\nNNN\n")
    with pytest.raises(errors.GenotokError, match="no base"):
        distributed.train([tmp_path / "n.fa"], vocab_size=300)


@pytest.mark.usefixtures("cluster")
def test_a_worker_that_dies_again_and_again_ends_the_training(
    files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dies:
        def __init__(self, paths: list[str], threads: int, allow_unknown: float) -> None:
            pass

        def answer(self, question: bytes) -> tuple[int, bytes]:
            os._exit(1)

    monkeypatch.setattr(workers, "_Holder", Dies)
    with pytest.raises(errors.ResourceError, match="died 4 times in a row") as raised:
        distributed.train(files[:1], vocab_size=300)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [("RPC error: WrongClusterID", "was restarted"), ("Timed out", r"has not answered for \d+ s")],
)
def test_a_head_that_is_gone_ends_the_work(said: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Head:
        def internal_kv_get(self, key: bytes, namespace: bytes, timeout: float) -> bytes:
            raise ConnectionError(said)

    worker = types.SimpleNamespace(global_worker=types.SimpleNamespace(gcs_client=Head()))
    waits = types.SimpleNamespace(
        _private=types.SimpleNamespace(worker=worker), wait=lambda *_, **__: ([], [])
    )
    monkeypatch.setattr(cluster_module, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(cluster_module, "SILENT_SECONDS", 0.05)
    contact = cluster_module.Contact(waits)
    with pytest.raises(errors.ResourceError, match=message):
        contact.get("reference")
    assert contact.is_lost


@pytest.mark.usefixtures("cluster")
def test_a_head_that_answers_is_asked_in_vain(
    files: list[str], alone: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "CHECK_SECONDS", 0.01)
    assert distributed.train(files, vocab_size=700, workers=2).to_json() == alone.to_json()


@pytest.mark.usefixtures("cluster")
def test_wrong_arguments_are_refused(files: list[str]) -> None:
    for wrong, said in (
        ({"workers": 0}, "workers=0"),
        ({"threads": 0}, "threads=0"),
        ({"workers": 4, "threads": 3}, "can run 1"),
        ({"vocab_size": 3}, "vocab_size=3"),
    ):
        with pytest.raises(errors.ArgumentError, match=said):
            distributed.train(files, **wrong)  # type: ignore[arg-type]
    with pytest.raises(errors.ArgumentError, match="standard input"):
        distributed.train("-")


@pytest.mark.parametrize("form", ["arrow", "megatron"])
@pytest.mark.usefixtures("cluster")
def test_encoding_there_makes_the_same_folder(
    files: list[str], alone: Tokenizer, tmp_path: Path, form: str
) -> None:
    inputs = [files[number] for number in (0, 1, 2, 4)]  # no packed file
    options: dict[str, Any] = {"format": form, "shard_size": 300_000, "window": 1000, "stride": 500}
    here = encode(alone, inputs, f"{tmp_path}/here/", **options)
    there = distributed.encode(alone, inputs, tmp_path / "there", workers=3, **options)
    assert {**there, "output": "", "seconds": 0} == {**here, "output": "", "seconds": 0}
    names = sorted(os.listdir(tmp_path / "here"))
    assert sorted(os.listdir(tmp_path / "there")) == names
    for name in names:
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes(), name
    assert list(verify_folder(str(tmp_path / "there"))) == []


@pytest.mark.usefixtures("cluster")
def test_an_input_whose_worker_dies_is_encoded_again(
    files: list[str], alone: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode(alone, files[:3], f"{tmp_path}/here/")
    mark = tmp_path / "died"

    def dies_once(work: Any, index: int) -> Any:
        if index == 1 and not mark.exists():
            mark.touch()
            (Path(work.folder) / "00001-00000.arrow").write_bytes(b"half of it")
            os._exit(1)
        return work.encode(index)

    monkeypatch.setattr(sys.modules["genotok.distributed.encode"], "_encode", dies_once)
    distributed.encode(alone, files[:3], tmp_path / "there", workers=2)
    assert mark.exists()
    for path in (tmp_path / "here").iterdir():
        assert (tmp_path / "there" / path.name).read_bytes() == path.read_bytes()
    damaged = tmp_path / "damaged.fa"
    damaged.write_bytes(b">r\nACGT0ACGT\n")
    with pytest.raises(errors.GenotokError, match=r"damaged\.fa"):
        distributed.encode(alone, [files[0], damaged], tmp_path / "third", workers=2)
    with pytest.raises(errors.ArgumentError, match="standard input"):
        distributed.encode(alone, "-", tmp_path / "fourth")


@pytest.mark.usefixtures("cluster")
def test_shards_under_a_uri_are_fetched(files: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    pack_shards(files[:3], folder, shard_size=200_000)
    alone = Tokenizer.train([folder, files[4]], vocab_size=300).to_json()
    there = distributed.train([folder.as_uri(), files[4]], workers=2, vocab_size=300)
    assert there.to_json() == alone
    victim = folder / "00001-00000.pack"
    data = victim.read_bytes()
    victim.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(errors.SequenceFileError, match=r"00001-00000\.pack: this packed file is damaged"):
        distributed.train(folder.as_uri(), workers=2, vocab_size=300)
    victim.write_bytes(data[:-1])
    with pytest.raises(errors.SequenceFileError, match="this shard has"):
        distributed.train(folder.as_uri(), vocab_size=300)
    victim.unlink()
    with pytest.raises(errors.SequenceFileError, match="is missing"):
        distributed.train(folder.as_uri(), vocab_size=300)
    (folder / "manifest.json").write_text('{"shards": [{"file": "../x.pack", "bytes": 1}]}')
    with pytest.raises(errors.SequenceFileError, match="no shard is called"):
        distributed.train(folder.as_uri(), vocab_size=300)
    with pytest.raises(FileNotFoundError):
        distributed.train((tmp_path / "none").as_uri(), vocab_size=300)
    with pytest.raises(errors.ArgumentError, match="nosuch"):
        distributed.train("nosuch://bucket/shards", vocab_size=300)


def test_shares_are_balanced(files: list[str]) -> None:
    sizes = [[os.path.getsize(path) for path in share] for share in balanced(files, 2)]
    assert sum(map(len, sizes)) == len(files)
    assert max(map(sum, sizes)) < 1.3 * min(map(sum, sizes))
    assert balanced(files[:1], 1) == [files[:1]]


LISTENERS = """
import psutil
from genotok.distributed.cluster import cluster
with cluster("local", 1) as ray:
    ray.get(ray.remote(lambda: 5).remote())
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                print(connection.laddr.ip)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks at the sockets of Linux")
def test_a_cluster_of_ones_own_is_heard_here_alone_and_leaves_nothing() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
        found = subprocess.run(
            [sys.executable, "-c", LISTENERS],
            env={**environment, "TMPDIR": folder},
            capture_output=True,
            text=True,
            timeout=200,
            check=True,
        )
        addresses = set(found.stdout.split())
        assert addresses
        assert all(ip_address(address.removeprefix("::ffff:")).is_loopback for address in addresses)
        assert os.listdir(folder) == []


def test_files_under_uris_are_copied_under_names_of_their_own(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.fa").write_text(f">{folder}\nACGT\n")
    uris = [(tmp_path / folder / "x.fa").as_uri() for folder in ("a", "b")]
    found = [fetch(uri, str(copies), number) for number, uri in enumerate(uris)]
    assert [Path(path).read_text() for path in found] == [">a\nACGT\n", ">b\nACGT\n"]


def test_the_command_starts_a_cluster_of_its_own_and_says_when_there_is_none(
    files: list[str], alone: Tokenizer, tmp_path: Path
) -> None:
    def run(
        *options: str, command: str = "train-bpe", files: list[str] = files, output: str = "there.json"
    ) -> subprocess.CompletedProcess[str]:
        vocab = ["--vocab", "700"] if command == "train-bpe" else []
        environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
        return subprocess.run(
            [sys.executable, "-m", "genotok", command, *vocab, *files, "-o", output, *options],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    done = run("--ray", "local", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "there.json").read_text() == alone.to_json()
    done = run("--ray", "127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("genotok: error: ray: nothing answers at '127.0.0.1:1'")
    assert "Traceback" not in done.stderr
    assert "workers=2: is for --ray" in run("--workers", "2").stderr
    encoded = run("--ray", "local", "-t", "there.json", command="encode", files=files[:2], output="out/")
    assert encoded.returncode == 0, encoded.stderr
    assert list(verify_folder(str(tmp_path / "out"))) == []
