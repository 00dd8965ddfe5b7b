"""Commands in the process of the tests."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from genotok.cli import main


def run(*arguments: str | Path) -> int:
    """The exit code of a command, in this process."""
    with patch.object(sys, "argv", ["genotok", *map(str, arguments)]), pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code if isinstance(stop.value.code, int) else 0
