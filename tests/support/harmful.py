"""A pickle that runs a command when it is loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


class Harmful:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)
