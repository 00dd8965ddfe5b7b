"""Scores that an interrupted run has computed, beside its output, for `--resume`.

`OUTPUT.partial` grows by a line of JSON for each batch of variants, after a first line that identifies
model, inputs and settings. A killed run leaves at most a part of the last line, which is dropped. The output
itself is written anew by the run that resumes; the file is removed once the output is complete. A last line
says that all scores are there, before the output gets its name: a run that is killed between the two has an
output, which the run that resumes may write again.
"""

from __future__ import annotations

import json
import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok.errors import ArgumentError, GenotokWarning
from genotok.files.appending import AppendFile
from genotok.files.reading import open_reading
from genotok.variants.scores import KINDS, VariantScores

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ScoreJournal"]

FORMAT = "genotok scores"
PARTIAL = ".partial"
END = b'{"end": true}\n'


class ScoreJournal:
    """The batches of scores of a run, in order.

    Args:
        output: The output.
        identity: What the scores depend on.
        resume: Continue an interrupted run, if there is one.
        force: Drop one.

    Raises:
        ArgumentError: There is an interrupted run, and neither was asked for; or it was of other inputs.
        OSError: The file cannot be read or written.
    """

    def __init__(self, output: str, identity: dict[str, Any], *, resume: bool, force: bool) -> None:
        self._path = output + PARTIAL
        if os.path.lexists(self._path):
            if not _is_ours(self._path):
                raise ArgumentError(f"{self._path}: exists and is not of genotok; remove it, or rename it")
            if not resume and not force:
                raise ArgumentError(
                    f"{self._path}: is left of an interrupted run; --resume continues it, --force starts anew"
                )
        self._file = AppendFile(self._path)
        head = json.loads(json.dumps({"format": FORMAT, "identity": identity}))
        self._stored = self._lines() if resume else iter(())
        if not resume or not len(self._file):
            self._file.truncate(0)
            self._file.append(json.dumps(head) + "\n")
            self._stored = iter(())
        elif next(self._stored, None) != head:
            self._file.close()
            raise ArgumentError(
                f"{self._path}: is of another model, other inputs or settings; --force starts anew"
            )

    def _lines(self) -> Iterator[Any]:
        """The whole lines of the file; what stands behind them is dropped."""
        size = 0
        with open_reading(self._path) as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                try:
                    found = json.loads(line)
                except ValueError:
                    break
                yield found
                size += len(line)
        self._file.truncate(size)

    def stored(self, number: int) -> VariantScores | None:
        """The scores of the next batch, of so many variants; None if it is not there."""
        found = next(self._stored, None)
        if found is None or len(found.get("pll", ())) != number:
            return None
        columns = {name: np.array(found[name], kind) for name, kind in KINDS.items()}
        return VariantScores(**columns, num_passes=0)

    def end(self) -> None:
        """Say that all scores are there; the output gets its name next."""
        self._file.append(END.decode())

    @staticmethod
    def has_ended(output: str) -> bool:
        """Whether a run of genotok has come to the end of its scores, and not to that of its output."""
        path = output + PARTIAL
        if not os.path.isfile(path) or not _is_ours(path):
            return False
        with open_reading(path) as file:
            file.seek(max(os.path.getsize(path) - len(END), 0))
            return file.read() == END

    def append(self, scores: VariantScores) -> None:
        """Store the scores of a batch."""
        columns = {name: getattr(scores, name).tolist() for name in KINDS}
        self._file.append(json.dumps(columns) + "\n")

    def close(self) -> None:
        """Keep the file for a run that resumes."""
        self._file.close()

    def remove(self) -> None:
        """Remove the file: the output is complete, also where this fails, with a warning."""
        self._file.close()
        try:
            os.remove(self._path)
        except FileNotFoundError:
            pass
        except OSError as error:
            told = f"{self._path}: {error.strerror}; remove it, the output is complete without"
            warnings.warn(told, GenotokWarning, stacklevel=2)


def _is_ours(path: str) -> bool:
    with open_reading(path) as file:
        head = file.read(64)
    return not head or head.startswith(b'{"format": "genotok scores"')
