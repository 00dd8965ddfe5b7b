"""`genotok gue fetch`: archives of GUE, laid out and checked; hostile archives."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from genotok.errors import ArgumentError
from genotok.gue import archive, fetch, find_tasks, gue_sets
from genotok.gue.fetching import known_digests
from tests.support.commands import run

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "gue"


def table(rows: int) -> bytes:
    return ("sequence,label\n" + "ACGT,1\n" * rows).encode()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """Digests of small files of mouse_2 in place of those of GUE."""
    digests = {("mouse_2", name): hashlib.sha256(table(3)).hexdigest() for name in ("train", "test")}
    monkeypatch.setattr("genotok.gue.fetching.known_digests", lambda: digests)
    return digests


def packed(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
            for name, data in files.items():
                target.writestr(name, data)
        return path
    with tarfile.open(path, "w:gz") as target:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("name", ["GUE.zip", "GUE.tar.gz"])
@pytest.mark.usefixtures("known")
def test_files_are_checked_and_laid_out(tmp_path: Path, name: str) -> None:
    files = {
        "GUE/mouse/2/train.csv": table(3),
        "GUE/mouse/2/test.csv": table(4),
        "GUE/mouse/0/dev.csv": table(810),
        "GUE/mouse/0/test.csv": table(1),
        "GUE/__MACOSX/mouse/4/test.csv": table(1),
        "GUE/readme.md": b"",
    }
    found = fetch(packed(tmp_path / name, files), tmp_path / "out")
    states = {(one.name, one.split): one.state for one in found.files if one.state != "missing"}
    assert states == {
        ("mouse_0", "dev"): "rows",
        ("mouse_0", "test"): "differs",
        ("mouse_2", "train"): "verified",
        ("mouse_2", "test"): "differs",
    }
    assert found.ignored == 2
    assert len(found.of_state("missing")) == 3 * len(gue_sets()) - 4
    written = {path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("out/**/*.csv")}
    assert written == {"mouse/2/train.csv", "mouse/0/dev.csv"}
    fetch(tmp_path / name, tmp_path / "out")  # the same files stay
    (tmp_path / "out/mouse/2/train.csv").write_bytes(table(9))
    with pytest.raises(ArgumentError, match=r"mouse/2/train\.csv: is there already"):
        fetch(tmp_path / name, tmp_path / "out")
    fetch(tmp_path / name, tmp_path / "out", force=True)
    assert (tmp_path / "out/mouse/2/train.csv").read_bytes() == table(3)
    assert not list(tmp_path.rglob(".genotok-*"))


@pytest.mark.usefixtures("known")
def test_the_command_lists_what_is_missing_and_fails_on_another_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = packed(tmp_path / "good.zip", {"mouse/2/train.csv": table(3)})
    assert run("gue", "fetch", good, "-o", tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "digest as known: 1 file\n" in printed
    assert "mouse_2: dev, test" in printed
    assert f"{len(gue_sets()) - 1} whole sets: emp_H3, " in printed
    bad = packed(tmp_path / "bad.zip", {"mouse/2/train.csv": table(4)})
    assert run("gue", "fetch", bad, "-o", tmp_path / "other", "--json") == 1
    states = {one["state"] for one in json.loads(capsys.readouterr().out)["files"]}
    assert states == {"differs", "missing"}


# -- hostile archives -------------------------------------------------------------------------------


@pytest.mark.usefixtures("known")
def test_no_name_in_an_archive_leads_outside(tmp_path: Path) -> None:
    names = ["../../mouse/2/train.csv", "/mouse/2/test.csv", "../escaped.csv", "..\\escaped.csv"]
    found = fetch(packed(tmp_path / "a.zip", dict.fromkeys(names, table(3))), tmp_path / "in" / "out")
    assert [one.state for one in found.files if one.name == "mouse_2"] == ["verified", "missing", "verified"]
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "in"}


@pytest.mark.usefixtures("known")
def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(table(3))
    with tarfile.open(tmp_path / "a.tar", "w") as target:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo("mouse/2/train.csv")
            info.type, info.linkname = kind, str(secret)
            target.addfile(info)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as target_zip:
        link = zipfile.ZipInfo("mouse/2/train.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        target_zip.writestr(link, str(secret))
    for name in ("a.tar", "a.zip"):
        with pytest.raises(ArgumentError, match="no file of GUE"):
            fetch(tmp_path / name, tmp_path / "out")


@pytest.mark.usefixtures("known")
def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"mouse/2/train.csv": table(3), "mouse/2/test.csv": table(3)}
    path = packed(tmp_path / "a.zip", files)
    for where, said in (
        ("fetching.MAX_FILE", "more than 20 bytes"),
        ("fetching.MAX_TOTAL", "more than 20 bytes"),
        ("archive.MAX_MEMBERS", "more than 20 members"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(f"genotok.gue.{where}", 20)
            many = {f"{number}.txt": b"" for number in range(30)}
            source = packed(tmp_path / "b.zip", many) if "MEMBERS" in where else path
            with pytest.raises(ArgumentError, match=said):
                fetch(source, tmp_path / "out")
    assert not list(tmp_path.rglob(".genotok-*"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is expected"),
        (b"PK\x05\x06" + bytes(18), "no file of GUE"),
        (b"no archive" * 99, "is no zip or tar archive"),
        (b"\n<!DOCTYPE html><html>", "is a web page, such as one that leads to the archive"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(ArgumentError, match=said):
        fetch(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.usefixtures("known")
def test_damaged_and_doubled_members_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"mouse/2/train.csv": table(4000)})
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ArgumentError, match=r"a\.zip: cannot be unpacked"):
        fetch(path, tmp_path / "out")
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ArgumentError, match="the end of the zip archive is missing"):
        fetch(path, tmp_path / "out")
    path = packed(tmp_path / "b.zip", {"a/mouse/2/train.csv": table(3), "b/mouse/2/train.csv": table(3)})
    with pytest.raises(ArgumentError, match="a second file of mouse_2, train"):
        fetch(path, tmp_path / "out")


# -- addresses --------------------------------------------------------------------------------------


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        return


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.usefixtures("known")
def test_an_archive_at_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    packed(tmp_path / "a.zip", {"mouse/2/train.csv": table(3)})
    with served(tmp_path) as address:
        assert fetch(f"{address}/a.zip", tmp_path / "out").of_state("verified")
        with pytest.raises(OSError, match="not found; give the path of an archive"):
            fetch(f"{address}/b.zip", tmp_path / "out")
        monkeypatch.setattr(archive, "MAX_ARCHIVE", 20)
        with pytest.raises(ArgumentError, match="more than 20 bytes"):
            fetch(f"{address}/a.zip", tmp_path / "out")
    with pytest.raises(OSError, match="IPv6 URL; give the path of an archive"):
        fetch("https://[", tmp_path / "out")
    for address in ("file:///x/y.zip", "ftp://x/y.zip"):
        with pytest.raises(ArgumentError, match="an address with http or https, is expected"):
            fetch(address, tmp_path / "out")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real sets")
@pytest.mark.slow
def test_the_sets_at_hand_are_the_known_ones(tmp_path: Path) -> None:
    files = {
        f"GUE/{path.relative_to(REAL).as_posix()}": path.read_bytes()
        for path in REAL.rglob("*.csv")
        if "sample" not in path.parent.name
    }
    found = fetch(packed(tmp_path / "GUE.zip", files), tmp_path / "GUE")
    assert len(found.of_state("verified")) == len(known_digests()) == len(files)
    assert not found.of_state("differs")
    assert [task.name for task in find_tasks([tmp_path / "GUE"])] == [
        task.name for task in find_tasks([REAL])
    ]
