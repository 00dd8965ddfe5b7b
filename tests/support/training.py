"""What the fixture `train` is: a training in one call."""

from collections.abc import Callable
from typing import Any

Training = Callable[..., tuple[Any, dict[str, Any]]]
