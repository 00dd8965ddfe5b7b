"""A Ray cluster for as long as it is needed, and what it says when something is wrong."""

from __future__ import annotations

import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from genotok.errors import ArgumentError, GenotokError, ResourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LOCAL", "cluster", "lost", "raise_cause", "ray_module", "told"]

LOCAL = "local"
"""The address that stands for a Ray of one's own on this machine."""

CONNECT_SECONDS = 5.0
"""How long a cluster may take to open its door."""


@contextmanager
def cluster(address: str, num_cpus: int | None) -> Iterator[Any]:
    """Ray, connected to the cluster at an address; one that was connected before stays so.

    Args:
        address: Of a cluster, "auto" for the one that runs here, or "local", which starts one.
        num_cpus: Processors of a local one; None for all.

    Raises:
        ArgumentError: Ray is not installed.
        ResourceError: The cluster cannot be reached.
    """
    ray = ray_module()
    if ray.is_initialized():
        yield ray
        return
    is_local = address == LOCAL
    _check_reachable(address)
    with told(ray, address), _own_signals():
        ray.init(
            address=None if is_local else address,
            num_cpus=num_cpus if is_local else None,
            include_dashboard=False if is_local else None,
            log_to_driver=False,
            logging_level="ERROR",
        )
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _own_signals() -> Iterator[None]:
    """The program's own way to end at SIGTERM stays: Ray puts an exit at once in its place."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if before not in {signal.SIG_DFL, None} and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


def ray_module() -> Any:
    """The module, which only this one needs."""
    try:
        import ray  # noqa: PLC0415 - seconds, and an extra
    except ImportError:
        raise ArgumentError("ray: is not installed: pip install 'genotok[ray]'") from None
    return ray


def _check_reachable(address: str) -> None:
    """An error in seconds, where Ray itself would knock at a closed door for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ResourceError(f"ray: nothing answers at '{address}': {error}") from None


@contextmanager
def told(ray: Any, address: str) -> Iterator[None]:
    """What goes wrong with the cluster itself, as one line."""
    try:
        yield
    except lost(ray) as error:
        raise ResourceError(f"ray: work was lost again and again: {_first_line(error)}") from None
    except (ConnectionError, ray.exceptions.RayError) as error:
        raise ResourceError(
            f"ray: the cluster at '{address}' cannot be reached or is gone: {_first_line(error)} (where it "
            "wants a token, set RAY_AUTH_MODE=token)"
        ) from None


def lost(ray: Any) -> tuple[type[Exception], ...]:
    """What Ray raises when a process or a machine went, with its work: killed, out of memory, unplugged."""
    known = ray.exceptions
    return (
        known.RayActorError,
        known.ObjectLostError,
        known.WorkerCrashedError,
        known.OutOfMemoryError,
        known.NodeDiedError,
    )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def raise_cause(error: Any) -> NoReturn:
    """What a worker could not do, as it would be said here."""
    cause = error.cause
    if isinstance(cause, GenotokError | OSError):
        raise cause from None
    raise GenotokError(f"ray: a worker failed: {type(cause).__name__}: {cause}") from error
