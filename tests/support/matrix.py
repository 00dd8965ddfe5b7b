"""The fault matrix: each command that writes, with each kind of fault at its first call, its second, ...

`python -m tests.support.matrix` (`make faults`) tries all of it and writes the table of
`docs/contributing/faults.md`; `tests/test_faults.py` tries a part.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.support.recipes import FOLDERS, RECIPES, write_models, write_place
from tests.support.trials import Fault, Result, attempt

__all__ = ["CASES", "Case", "Matrix", "Tally", "titled"]

QUICK = {
    "pretrain": [
        "steps=4",
        "warmup=1",
        "batch=2",
        "micro_batch=2",
        "max_tokens=16",
        "save_every=2",
        "evaluate_every=2",
    ],
    "finetune": ["max_steps=2", "batch=4"],
    "compare": [
        "window=32",
        "seeds=[1]",
        "pretrain.steps=2",
        "pretrain.warmup=1",
        "pretrain.batch=2",
        "pretrain.micro_batch=2",
        "finetune.max_steps=2",
    ],
}
"""Settings with which training takes a second or two."""


@dataclass(frozen=True)
class Case:
    """A command of the matrix.

    Attributes:
        arguments: All but the output.
        output: The output's name; one that ends in `/` is a folder.
        older: The arguments that make an older output of the same kind; none if there is no `--force`.
        resume: Whether what a failure leaves is resumed.
        marker: The file that is written last, without which a folder is not complete.
        index: The file by which readers find an output of several files.
    """

    arguments: tuple[str, ...]
    output: str
    older: tuple[str, ...] | None = None
    resume: bool = False
    marker: str = ""
    index: str = ""


def _cases() -> dict[str, Case]:
    found = {}
    for name, recipe in RECIPES.items():
        arguments = list(recipe.arguments)
        if name in FOLDERS:
            arguments += ["--device", "cpu"]
            arguments += [part for one in QUICK.get(name, []) for part in ("--set", one)]
            arguments += ["--seeds", "1"] if name in {"baseline", "finetune"} else []
            arguments += ["--kmers", "bases"] if name == "compare" else []
        older = (*arguments, *recipe.otherwise) if recipe.otherwise else None
        resume = name in FOLDERS or name == "score"
        found[name] = Case(tuple(arguments), recipe.output, older, resume)
    for name, given in (("pretrain", ["long.fa"]), ("compare", ["tokenizer.json", "long.fa"])):
        arguments = (name, *given, *found[name].arguments[1 + len(given) :])
        found[name] = replace(found[name], arguments=arguments)
    found["convert"] = Case(("convert", "model"), "run/", ("convert", "classifier"))
    found["gue split"] = replace(found["gue split"], marker="run/manifest.json")
    other = ("encode", "genome.fa", "--reverse-complement")
    found["encode to Megatron"] = Case(("encode", "genome.fa"), "out.bin", other, index="out.idx")
    found["encode to BED"] = Case(("encode", "genome.fa"), "out.bed.gz", other, index="out.bed.gz.tbi")
    found["encode to Parquet"] = Case(("encode", "genome.fa"), "out.parquet", other)
    found["encode to shards"] = Case(("encode", "two.fa", "--shard-size", "1000"), "run/", None, True)
    found["pack to shards"] = Case(
        ("pack", "two.fa", "--shard-size", "1000"), "run/", None, marker="run/manifest.json"
    )
    return found


CASES = _cases()

FILLER = "filler"
"""A file that takes the space of a small disk."""

NOTE = ".note"
"""How the name of a note ends, which tells the next run what a killed one left to be renamed."""

FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EFBIG))

VOLATILE = re.compile(
    rb'"(?P<key>[a-z_]*seconds[a-z_]*|resumed_at|created|started|finished|date|time|[a-z_]*_per_second|peak_[a-z_]*|'
    rb"waiting|train_runtime|train_loss)"
    rb'": (-?[0-9.e+-]+|"[^"]*"|null)'
)
"""Times in records, which differ from run to run, and the mean loss of the part since a run was resumed."""

TIMED = re.compile(rb"(?m)^\| [a-z-]+, s \|.*$")
"""A row with seconds of a table in Markdown."""

RESUMED = b" --resume"
"""What the command of a resumed run has, in its record and on the card of its model."""


@dataclass
class Tally:
    """What happened in the trials of one command and one kind of fault.

    Attributes:
        calls: Calls of the kind in the undisturbed run.
        tries: Trials in which the fault came true.
        reported: Of them, those that ended with an error.
        tolerated: Those that ended well all the same.
        aborted: Those in which memory ran out and the process ended itself.
        failures: What is wrong, in words.
    """

    calls: int = 0
    tries: int = 0
    reported: int = 0
    tolerated: int = 0
    aborted: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass
class Matrix:
    """The matrix in a folder of its own.

    Attributes:
        folder: An empty folder.
        sample: Calls that are tried of each command and kind; 0 for all.
    """

    folder: Path
    sample: int = 0

    def __post_init__(self) -> None:
        self._models, self._place = self.folder / "models", self.folder / "place"
        self._references: dict[tuple[str, bool], tuple[dict[str, bytes], dict[str, bytes]]] = {}

    def tally(self, name: str, kind: str, *, over: bool) -> Tally:
        """Try a command with a kind of fault, with an older output there (`over`) or without."""
        case, found = CASES[name], Tally()
        _, new = self._reference(name, over)
        for at in self._calls(name, kind, over, found):
            self._prepare(name, over)
            try:
                result = attempt(_command(case, over), self.work, Fault(kind, at))
            except TimeoutError as error:
                found.tries += 1
                found.failures.append(f"{titled(name, over)}: {kind} {at}: {error}")
                continue
            if result.call is None:
                if self.sample:
                    continue  # threads made fewer calls this time
                break
            found.tries += 1
            faults = list(self._faults(name, kind, over, result, found))
            noted = has_note(contents(self.work))
            # What a note tells is done without `--force`, to the last file.
            again = self._again(case, over and not noted)
            after = contents(self.work)
            if again.code and (after if case.index else visible(after)) == new:
                pass  # the output is there, and stays
            elif again.code:
                faults.append(f"the next run failed: {again.err.strip()[-200:]}")
            elif after != new:
                faults.append(f"the next run left something else: {_difference(new, after)}")
            where = f"{kind} {at} ({result.call[0]} {Path(result.call[1]).name})"
            found.failures += [f"{titled(name, over)}: {where}: {fault}" for fault in faults]
        return found

    def full(self, name: str, *, over: bool) -> Tally:
        """Try a command on a disk with no free page, with 1, 2, 4 and so on, until it succeeds.

        Raises:
            PermissionError: Nothing can be mounted here.
        """
        case, found = CASES[name], Tally()
        _, new = self._reference(name, over)
        pages = 0
        while True:
            self._prepare(name, over)
            with small_disk(self.work) as fill:
                fill(pages)
                result = attempt(_command(case, over), self.work)
                if result.code == 0:
                    return found
                found.tries += 1
                result = replace(result, call=("write", str(self.work / case.output)))
                faults = list(self._faults(name, "write", over, result, found))
                if not any(reason in result.err for reason in FULL):
                    faults.append(f"does not say that the disk is full: {result.err[-300:]}")
                fill(None)
                again = self._again(case, over)
                after = contents(self.work)
                if again.code or after != new:
                    faults.append(f"the next run: {again.err[-200:]} {_difference(new, after)}")
            found.failures += [f"{name}: {pages} free pages: {fault}" for fault in faults]
            pages = max(1, 2 * pages)

    def prepared(self, name: str, over: bool) -> dict[str, bytes]:
        """Make the folder as it is before a command; what is in it after an undisturbed run."""
        _, new = self._reference(name, over)
        self._prepare(name, over)
        return new

    @property
    def work(self) -> Path:
        """The folder in which commands run."""
        return self.folder / "trial" / "work"

    def _calls(self, name: str, kind: str, over: bool, found: Tally) -> Iterable[int]:
        """The numbers of the calls that are to fail."""
        if not self.sample:
            return range(1, 10_000)
        self._prepare(name, over)
        found.calls = attempt(_command(CASES[name], over), self.work, Fault(kind)).calls
        return sampled(found.calls, self.sample)

    def _prepare(self, name: str, over: bool) -> None:
        """The folder of a trial, as it is before."""
        if not self._place.exists():
            for folder in (self._models, self._place):
                folder.mkdir(parents=True)
            write_models(self._models)
            write_place(self._place, self._models)
            genome = (self._place / "genome.fa").read_text()
            (self._place / "two.fa").write_text(genome + genome.replace(">r", ">s"))
            (self._place / "long.fa").write_text("".join(genome.replace(">r", f">{n}") for n in range(4)))
        trial = self.folder / "trial"
        shutil.rmtree(trial, ignore_errors=True)
        older = self.folder / f"older-{name}"
        shutil.copytree(older if over and older.exists() else self._place, self.work)
        (trial / "tmp").mkdir()

    def _reference(self, name: str, over: bool) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """What is in the folder before the command, and after it in an undisturbed run."""
        if (name, over) not in self._references:
            case = CASES[name]
            if over:
                assert case.older
                self._prepare(name, False)
                _succeeds(attempt([*case.older, "-o", case.output], self.work))
                shutil.copytree(self.work, self.folder / f"older-{name}")
            self._prepare(name, over)
            before = contents(self.work)
            _succeeds(attempt(_command(case, over), self.work))
            after = contents(self.work)
            assert before != after
            self._references[name, over] = before, after
        return self._references[name, over]

    def _faults(self, name: str, kind: str, over: bool, result: Result, found: Tally) -> Iterator[str]:
        """What is wrong after a command that met a fault, in words."""
        case = CASES[name]
        before, new = self._reference(name, over)
        now = contents(self.work)
        if kind == "kill":
            if result.code != -9:
                yield f"was to be killed, and ended with {result.code}"
        elif result.code == 0:
            found.tolerated += 1
            if visible(now) != new:
                yield f"success without the whole output: {_difference(new, now)}"
        elif kind == "memory" and result.code == -6 and "memory allocation of" in result.err:
            found.aborted += 1
        else:
            found.reported += 1
            yield from _of_messages(case, kind, result)
            left = [path for path in now if is_hidden(path)]
            if left and not case.resume and kind != "remove":
                yield f"left {left}"
        if not case.resume and (not case.marker or case.marker in now):
            stem = case.output.rstrip("/").removesuffix(".bin")
            old, whole, ours = (
                {path: data for path, data in one.items() if path.startswith(stem)}
                for one in (before, new, visible(now))
            )
            # A kill between the names of several files: readers find none, and the next run has a note.
            is_named_later = kind == "kill" and case.index and case.index not in now and has_note(now)
            if ours not in (old, whole) and not is_named_later:
                yield f"neither old nor new: {_difference(whole, ours)}"
        kept = [path for path, data in before.items() if new.get(path) == data]
        if lost := [path for path in kept if now.get(path) != before[path]]:
            yield f"changed what it reads: {lost}"

    def _again(self, case: Case, over: bool) -> Result:
        """The command once more, undisturbed: resumed if there is something to resume."""
        command = _command(case, over)
        there = [self.work / case.output, self.work / f"{case.output}.partial"]
        if case.resume and any(path.exists() for path in there):
            command.append("--resume")
        again = attempt(command, self.work)
        if again.code and "run without --resume" in again.err:
            return attempt(_command(case, over), self.work)
        return again


@contextmanager
def small_disk(folder: Path) -> Iterator[Callable[[int | None], None]]:
    """A file system of its own with the contents of `folder`, mounted there.

    Yields a function that leaves so many pages of it free, or, for None, most of it.

    Raises:
        PermissionError: Nothing can be mounted here.
    """
    inside = folder.with_name("inside")
    folder.rename(inside)
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        raise PermissionError("a file system can be mounted by root only, or below `unshare -Urm`")
    try:
        shutil.copytree(inside, folder, dirs_exist_ok=True)
        filler = folder / FILLER

        def fill(pages: int | None) -> None:
            filler.unlink(missing_ok=True)
            if pages is not None:
                free = os.statvfs(folder)
                with filler.open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, (free.f_bavail - pages) * free.f_bsize)

        yield fill
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def titled(name: str, over: bool) -> str:
    """A command as the table and the failures name it."""
    return f"{name} --force" if over else name


def contents(folder: Path) -> dict[str, bytes]:
    """The files below a folder, without the times in records; empty folders end in `/`."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name == FILLER:
            continue
        if path.is_file():
            data = VOLATILE.sub(rb'"\g<key>": 0', path.read_bytes())
            found[name] = TIMED.sub(b"", data.replace(RESUMED, b""))
        elif path.is_dir() and not any(path.iterdir()):
            found[name + "/"] = b""
    return found


def sampled(count: int, size: int) -> list[int]:
    """The first numbers up to `count`, the last, and some between, evenly spaced: `size` of them, or all."""
    if count <= size:
        return list(range(1, count + 1))
    ends = max(1, size // 4)
    middle = size - 2 * ends
    step = (count - 2 * ends) / (middle + 1)
    between = {ends + round(step * number) for number in range(1, middle + 1)}
    return sorted({*range(1, ends + 1), *between, *range(count - ends + 1, count + 1)})


def is_hidden(path: str) -> bool:
    """Whether a path is that of a temporary file, folder or claim, or of what a resumed run reads."""
    parts = path.split("/")
    return parts[-1].endswith(".partial") or any(part.startswith((".genotok-", ".saving-")) for part in parts)


def has_note(found: dict[str, bytes]) -> bool:
    """Whether a killed run left a note of what is to be renamed."""
    return any(path.endswith(NOTE) for path in found)


def visible(found: dict[str, bytes]) -> dict[str, bytes]:
    """`found` without temporary files, folders and claims."""
    return {path: data for path, data in found.items() if not is_hidden(path)}


def _command(case: Case, over: bool) -> list[str]:
    return [*case.arguments, "-o", case.output, *(["--force"] if over else [])]


def _succeeds(result: Result) -> None:
    if result.code:
        raise AssertionError(f"the undisturbed run failed: {result}")


def _of_messages(case: Case, kind: str, result: Result) -> Iterator[str]:
    """What is wrong with the messages of a command that failed."""
    lines = [line for line in result.err.splitlines() if line.startswith("genotok: error: ")]
    if result.code != 1:
        yield f"ended with {result.code}: {result.err[-300:]}"
    elif "Traceback" in result.err or "internal" in result.err or len(lines) != 1:
        yield f"{len(lines)} lines of errors: {result.err[-600:]}"
    elif kind != "memory":
        assert result.call
        path = Path(result.call[1])
        names = {Path(case.output).stem, path.name, *case.arguments}
        if not any(name in lines[0] for name in names if len(name) > 1):
            yield f"names no file: {lines[0]}"


def _difference(wanted: dict[str, bytes], found: dict[str, bytes]) -> dict[str, Any]:
    """What two folders differ in."""
    return {
        "missing": sorted(wanted.keys() - found.keys()),
        "stray": sorted(found.keys() - wanted.keys()),
        "changed": sorted(path for path in wanted.keys() & found.keys() if wanted[path] != found[path]),
    }
