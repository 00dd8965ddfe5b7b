"""One atomic writer: no other code creates, renames or replaces output files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from genotok.files.appending import AppendFile
from genotok.files.atomic import TEMPORARY_PATTERN, AtomicFile, commit_together, write_atomic
from genotok.files.folders import AtomicFolder, remove_unfinished
from genotok.files.reading import errors_name, open_reading, read_bytes

PACKAGE = Path(__file__).resolve().parent.parent / "python" / "genotok"

WRITERS = ("files/", "model/")
"""The atomic writer, and the model's, which does without the rest of the package."""

ELSEWHERE = {
    ("cli/shared/process.py", "open"): "standard streams that were closed",
    ("distributed/storage.py", "open"): "a scratch copy of a remote file",
    ("finetune/start.py", "open"): "sequences of train, in a temporary folder",
    ("rows/opening.py", "open"): "a pipe",
    ("variants/region_files.py", "open"): "a bigWig in a temporary folder, then written atomically",
    ("model_folder/plain.py", "save_file"): "into an AtomicFolder",
    ("model_folder/plain.py", "save_pretrained"): "into an AtomicFolder",
    ("model_folder/write.py", "save_pretrained"): "into an AtomicFolder",
}
"""Other writes, and why they are none of an output under its final name."""

METHODS = {
    "write_text",
    "write_bytes",
    "rename",
    "move",
    "save_file",
    "save_pretrained",
    "write_table",
    "touch",
}


def writes(path: Path) -> Iterator[tuple[str, int]]:
    """Name and line of each call that creates, renames or replaces a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            function = node.func
            name = getattr(function, "attr", getattr(function, "id", ""))
            is_os = ast.unparse(function) in {
                "os.replace",
                "os.renames",
                "torch.save",
                "numpy.save",
                "np.save",
            }
            # `str.replace` has two arguments, `dataclasses.replace` keywords.
            is_path = name == "replace" and len(node.args) == 1 and not node.keywords
            if name in METHODS or is_os or is_path or (name == "open" and opens_for_writing(node)):
                yield name, node.lineno


def opens_for_writing(call: ast.Call) -> bool:
    """Whether a mode is given, as a literal, that is not one of reading."""
    given = [*call.args[:2], *(key.value for key in call.keywords if key.arg == "mode")]
    texts = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return any(re.fullmatch(r"[rwaxbt+]{1,4}", text) and re.search(r"[wax+]", text) for text in texts)


def test_outputs_go_through_the_atomic_writer() -> None:
    found = {
        (place, name): line
        for path in PACKAGE.rglob("*.py")
        if not (place := path.relative_to(PACKAGE).as_posix()).startswith(WRITERS)
        for name, line in writes(path)
    }
    assert {place: line for place, line in found.items() if place not in ELSEWHERE} == {}
    assert ELSEWHERE.keys() <= found.keys(), "no longer there"


def test_the_search_sees_writes(tmp_path: Path) -> None:
    source = tmp_path / "some.py"
    seen = [
        "open(path, 'w')",
        "path.open('a')",
        "open(path, mode='xb')",
        "open(path, 'r+b')",
        "os.replace(a, b)",
    ]
    seen += ["path.write_text('')", "a.rename(b)", "a.replace(b)", "shutil.move(a, b)", "torch.save(a, b)"]
    unseen = ["open(path)", "open(path, 'rb')", "text.replace('a', 'b')", "replace(config, a=1)"]
    for line in seen + unseen:
        source.write_text(line)
        assert bool(list(writes(source))) == (line in seen), line


def test_a_file_has_its_name_when_it_is_committed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    file = AtomicFile(str(path), checksum=True)
    file.write(b"new")
    assert path.read_bytes() == b"old"
    assert [bool(re.fullmatch(TEMPORARY_PATTERN, one.name)) for one in sorted(tmp_path.iterdir())] == [
        True,
        False,
    ]
    file.discard()
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("older", [{}, {"one": b"1", "two": b"2"}, {"one": b"1"}])
@pytest.mark.parametrize("fails", [0, 1, None])
def test_files_that_belong_together_are_new_or_as_before(
    tmp_path: Path, older: dict[str, bytes], fails: int | None
) -> None:
    for name, data in older.items():
        (tmp_path / name).write_bytes(data)
    sinks, temporary = [], []
    for name in ("one", "two"):
        before = set(tmp_path.iterdir())
        sinks.append(AtomicFile(str(tmp_path / name)))
        temporary += set(tmp_path.iterdir()) - before
        sinks[-1].write(b"new")
    if fails is not None:
        temporary[fails].unlink()
        with pytest.raises(FileNotFoundError, match=["one", "two"][fails]):
            commit_together(sinks)
    else:
        commit_together(sinks)
        assert all(sink.closed for sink in sinks)
    for sink in sinks:
        sink.discard()
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found == ({"one": b"new", "two": b"new"} if fails is None else older)


def test_deferred_files_get_their_names_one_by_one(tmp_path: Path) -> None:
    sinks = [AtomicFile(str(tmp_path / name), deferred=True) for name in ("one", "two")]
    commit_together(sinks)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_files_that_belong_together_may_be_links_into_other_folders(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "two").symlink_to("elsewhere/two")
    sinks = [AtomicFile(str(tmp_path / name)) for name in ("one", "two")]
    commit_together(sinks)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "one", "two"]
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["two"]


def test_a_folder_has_its_name_when_it_is_committed(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    with AtomicFolder(target) as folder:
        folder.write("one", b"1")
    assert list(tmp_path.iterdir()) == []
    with AtomicFolder(target) as folder:
        folder.write("one", b"1")
        folder.commit(last="one")
    (target / "other").touch()
    with AtomicFolder(target, into=True) as folder:
        folder.write("one", b"2")
        folder.commit(last="one")
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {"one": b"2", "other": b""}


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    killed = AtomicFolder(tmp_path / "folder")
    killed.write("one", b"1")
    remove_unfinished(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_appended_records_stay(tmp_path: Path) -> None:
    for number in range(2):
        with AppendFile(tmp_path / "journal") as file:
            file.append(f"{number}\n")
            assert len(file) == 2 * (number + 1)
            assert file.read().endswith(b"%d\n" % number)
    assert (tmp_path / "journal").read_bytes() == b"0\n1\n"


UNNAMED = {
    "files/identity.py": "within errors_name",
    "files/paths.py": "standard input",
    "files/reading.py": "the reader itself",
    "rows/opening.py": "pipes, whose errors name the source",
    "training/settings.py": "a preset of the package",
    "distributed/storage.py": "a remote file",
}
"""Other reads of bytes, and why their errors need no name."""


def test_reads_name_the_file() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"""\bopen\([^\n]*"rb"|\.read_bytes\(\)""", path.read_text(encoding="utf-8"))
    }
    assert found <= UNNAMED.keys(), "open_reading and read_bytes name the file in errors of reading"


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that cannot be read is Linux's own")
def test_an_error_of_reading_names_the_file() -> None:
    with pytest.raises(OSError, match="/proc/self/mem"):
        read_bytes("/proc/self/mem")
    with open_reading("/proc/self/mem") as file, pytest.raises(OSError, match="/proc/self/mem"):
        file.read(1)


def test_a_name_that_is_there_stays(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"), errors_name("other"):
        (tmp_path / "missing").read_bytes()
    with pytest.raises(OSError, match=r"^no number$"), errors_name("other"):
        raise OSError("no number")
