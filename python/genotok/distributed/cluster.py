"""A Ray cluster for as long as it is needed, and what it says when something is wrong."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any, NoReturn

from genotok.errors import ArgumentError, GenotokError, ResourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LOCAL", "Contact", "cluster", "lost", "raise_cause", "ray_module", "told"]

LOCAL = "local"
"""The address that stands for a local Ray cluster, started for the work on this machine."""

CLUSTER_VARIABLE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""What tells Ray whether other machines may join; where not, it listens on the loopback address."""

MAX_FOLDER_BYTES = 30
"""The longest path of a folder for Ray's sockets, whose names add some sixty bytes to it."""

SHORT_FOLDER = "/tmp"  # noqa: S108 - a folder of a new name is made in it

CONNECT_SECONDS = 5.0
"""How long a cluster may take to accept a connection."""


RESTARTED = "WrongClusterID"
"""What Ray says to a program that another head knows, which stood at the same address before."""

TICK = 0.1
"""Seconds between two looks for an interrupt."""

CHECK_SECONDS = 5.0
"""Seconds between two questions to the head whether it is there, and what each may take."""

SILENT_SECONDS = 40.0
"""How long a head may be silent; after 60 seconds Ray itself ends the program, without a checkpoint."""


@contextmanager
def cluster(address: str, num_cpus: int | None) -> Iterator[Any]:
    """Ray, connected to the cluster at an address; one that was connected before stays so.

    Args:
        address: Of a cluster, "auto" for the one that runs here, or "local", which starts one.
        num_cpus: CPU cores of a local one; None for all.

    Raises:
        ArgumentError: Ray is not installed.
        ResourceError: The cluster cannot be reached.
    """
    ray = ray_module()
    if ray.is_initialized():
        yield ray
        return
    _check_reachable(address)
    with ExitStack() as opened:
        more = opened.enter_context(_local(ray, num_cpus)) if address == LOCAL else {"address": address}
        with told(ray, address), _own_signals():
            ray.init(**more, log_to_driver=False, logging_level="ERROR")
        opened.callback(ray.shutdown)
        yield ray


@contextmanager
def _local(ray: Any, num_cpus: int | None) -> Iterator[dict[str, Any]]:
    """What starts a local Ray cluster, reached from this machine alone; its session folder goes with it."""
    with (
        _alone(ray),
        TemporaryDirectory(prefix="genotok-ray-", ignore_cleanup_errors=True, dir=_short()) as folder,
    ):
        yield {"address": "local", "num_cpus": num_cpus, "include_dashboard": False, "_temp_dir": folder}


@contextmanager
def _alone(ray: Any) -> Iterator[None]:
    """Without a way for other machines to join, unless the environment says so."""
    if CLUSTER_VARIABLE in os.environ:
        yield
        return
    constants = ray._private.ray_constants  # noqa: SLF001 - Ray has no public way
    allowed = constants.ENABLE_RAY_CLUSTER
    # For the processes that are started, and for this one, which has read it already.
    os.environ[CLUSTER_VARIABLE] = "0"
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        del os.environ[CLUSTER_VARIABLE]
        constants.ENABLE_RAY_CLUSTER = allowed


def _short() -> str | None:
    """A folder for a session where that for temporary files has too long a name; None where it does."""
    long = len(os.fsencode(gettempdir())) > MAX_FOLDER_BYTES
    return SHORT_FOLDER if long and os.path.isdir(SHORT_FOLDER) else None


@contextmanager
def _own_signals() -> Iterator[None]:
    """The program's own way to end at SIGTERM stays: Ray puts an exit at once in its place."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if before not in {signal.SIG_DFL, None} and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


class Contact:
    """Waits for results, and notices when the head of the cluster is gone.

    A head that was started again at its address knows nothing of this program, whose calls then wait for
    ever.

    Attributes:
        is_lost: Whether the head is gone, and no call to it can end well.

    Args:
        ray: The module, connected.
    """

    def __init__(self, ray: Any) -> None:
        self._ray, self.is_lost = ray, False
        # Ray has no public way to ask with a limit of time; `ray.nodes()` ends the process here.
        self._head = ray._private.worker.global_worker.gcs_client  # noqa: SLF001
        self._heard = time.monotonic()
        self._next = self._heard + CHECK_SECONDS

    def check(self) -> None:
        """Ask the head, if it is time.

        Raises:
            ResourceError: It was restarted, or has been silent for too long.
        """
        if time.monotonic() < self._next:
            return
        try:
            self._head.internal_kv_get(b"session_name", b"session", timeout=CHECK_SECONDS)
            self._heard = time.monotonic()
        except Exception as error:  # noqa: BLE001 - of several kinds, in Ray's native code
            restarted = RESTARTED in str(error)
            silent = time.monotonic() - self._heard
            if restarted or silent > SILENT_SECONDS:
                self.is_lost = True
                how = "was restarted" if restarted else f"has not answered for {silent:.0f} s"
                raise ResourceError(f"ray: the head of the cluster {how}") from None
        self._next = time.monotonic() + CHECK_SECONDS

    def get(self, reference: Any, look: Callable[[], None] | None = None) -> Any:
        """What a reference stands for, once it is there; meanwhile `look` is called.

        Raises:
            ResourceError: The head is gone.
        """
        while not self._ray.wait([reference], timeout=TICK)[0]:
            self.check()
            if look is not None:
                look()
        return self._ray.get(reference)


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
        if RESTARTED in str(error):
            raise ResourceError(f"ray: the head of the cluster at '{address}' was restarted") from None
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
