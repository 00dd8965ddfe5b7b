"""Faults at the border of the system: the n-th call of a kind fails, or the process is killed there.

The process that is tried installs a seccomp filter, and this one decides about each call of a kind that it
makes (`SECCOMP_RET_USER_NOTIF`). So the very module that users have is tried, with Rust, Python and libraries
alike, whether a call goes through libc or not, and no code of genotok knows of it. Calls that do not concern
the watched folder pass.

Needs Linux 5.5 or newer on x86-64 or aarch64, and nothing else; `why_unsupported` tells.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import select
import signal
import struct
from contextlib import suppress
from dataclasses import dataclass, field

__all__ = ["KINDS", "PATIENCE_SECONDS", "Watcher", "install_filter", "why_unsupported"]

# Name of a call to its numbers on x86-64 and aarch64; None where there is none.
NUMBERS: dict[str, tuple[int, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "open": (2, None),
    "mmap": (9, 222),
    "brk": (12, 214),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "readv": (19, 65),
    "writev": (20, 66),
    "mremap": (25, 216),
    "sendfile": (40, 71),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "ftruncate": (77, 46),
    "rename": (82, None),
    "mkdir": (83, None),
    "rmdir": (84, None),
    "creat": (85, None),
    "link": (86, None),
    "unlink": (87, None),
    "openat": (257, 56),
    "mkdirat": (258, 34),
    "unlinkat": (263, 35),
    "renameat": (264, 38),
    "linkat": (265, 37),
    "fallocate": (285, 47),
    "preadv": (295, 69),
    "pwritev": (296, 70),
    "renameat2": (316, 276),
    "copy_file_range": (326, 285),
}
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Name of a machine to its column in `NUMBERS` and the kernel's number of its architecture."""

WRITES = ("write", "pwrite64", "writev", "pwritev", "sendfile", "copy_file_range", "ftruncate", "fallocate")
READS = ("read", "pread64", "readv", "preadv", "mmap")
RENAMES = ("rename", "renameat", "renameat2", "link", "linkat")
CREATES = ("open", "openat", "creat", "mkdir", "mkdirat")
REMOVES = ("unlink", "unlinkat", "rmdir")
SYNCS = ("fsync", "fdatasync")
MEMORY = ("mmap", "brk", "mremap")

FROM_FOLDER = {"openat", "mkdirat", "unlinkat", "renameat", "renameat2", "linkat"}
"""Calls whose path starts at a folder, their first argument."""

AT_FDCWD = -100
MAP_FIXED, MAP_ANONYMOUS = 0x10, 0x20
PATIENCE_SECONDS = 120

MIN_MEMORY = 1 << 16
"""Bytes. A smaller mapping is a thread's guard or a library's, not memory that somebody asked for."""

SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}
SET_MODE_FILTER, NEW_LISTENER, GET_ACTION_AVAIL = 1, 1 << 3, 2
RET_USER_NOTIF, RET_ALLOW = 0x7FC00000, 0x7FFF0000
PR_SET_NO_NEW_PRIVS = 38
NOTIF_RECV, NOTIF_SEND, CONTINUE = 0xC0502100, 0xC0182101, 1
NOTIF, RESPONSE = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI")


@dataclass(frozen=True)
class Kind:
    """A kind of fault: the calls that it concerns, and what happens to the n-th."""

    calls: tuple[str, ...]
    error: int = 0
    """0: the process is killed."""


KINDS = {
    "write": Kind(WRITES, errno.EIO),
    "fsync": Kind(SYNCS, errno.EIO),
    "rename": Kind(RENAMES, errno.EIO),
    "create": Kind(CREATES, errno.EDQUOT),
    "remove": Kind(REMOVES, errno.EIO),
    "read": Kind(READS, errno.EIO),
    "memory": Kind(MEMORY, errno.ENOMEM),
    "kill": Kind((*WRITES, *SYNCS, *RENAMES, *CREATES, *REMOVES)),
}


def why_unsupported() -> str:
    """Why faults cannot be tried here, in words; empty where they can."""
    if platform.system() != "Linux" or platform.machine() not in MACHINES:
        return "faults are tried on Linux, x86-64 or aarch64"
    action = ctypes.c_uint32(RET_USER_NOTIF)
    if ctypes.CDLL(None).syscall(SYS_SECCOMP[platform.machine()], GET_ACTION_AVAIL, 0, ctypes.byref(action)):
        return "this kernel lets no process decide about another's calls (seccomp user notification)"
    return ""


def install_filter(kind: str) -> int:
    """From now on each call of a kind waits for a decision; returns the descriptor where to make it.

    Raises:
        OSError: The kernel refuses the filter.
    """
    column, architecture = MACHINES[platform.machine()]
    numbers = [number for name in KINDS[kind].calls if (number := NUMBERS[name][column]) is not None]
    steps = [(0x20, 0, 0, 4), (0x15, 0, len(numbers) + 1, architecture), (0x20, 0, 0, 0)]
    steps += [(0x15, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    steps += [(0x06, 0, 0, RET_ALLOW), (0x06, 0, 0, RET_USER_NOTIF)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    found = libc.syscall(SYS_SECCOMP[platform.machine()], SET_MODE_FILTER, NEW_LISTENER, program)
    if found < 0:
        raise OSError(ctypes.get_errno(), "no filter of calls can be installed")
    return int(found)


@dataclass
class Watcher:
    """Decides about the calls of a process that installed a filter.

    Attributes:
        kind: The kind of fault.
        at: The number of the call that fails, from 1; 0 for none.
        folder: Calls that concern no path below it pass uncounted; memory is counted everywhere.
        count: Calls so far.
        call: The call that failed, and its path.
    """

    kind: str
    at: int
    folder: str
    count: int = field(default=0, init=False)
    call: tuple[str, str] | None = field(default=None, init=False)

    def watch(self, listener: int, process: int, ended: int) -> None:
        """Decide until the process says nothing, or has ended, when the descriptor `ended` is readable."""
        column, _ = MACHINES[platform.machine()]
        names = {numbers[column]: name for name, numbers in NUMBERS.items()}
        while True:
            ready, _, _ = select.select([listener, ended], [], [], PATIENCE_SECONDS)
            if listener not in ready:
                return
            with suppress(FileNotFoundError):  # the caller was killed, or a signal came
                request = bytearray(NOTIF.size)
                try:
                    fcntl.ioctl(listener, NOTIF_RECV, request)
                except FileNotFoundError:
                    if ended in ready:
                        return
                    raise
                number, thread, _, call, _, _, *arguments = NOTIF.unpack(request)
                answer = self._decide(names[call], thread, process, arguments)
                fcntl.ioctl(listener, NOTIF_SEND, RESPONSE.pack(number, *answer))

    def _decide(self, name: str, thread: int, process: int, arguments: list[int]) -> tuple[int, int, int]:
        """Value, negative error and flags of the answer to a call."""
        path = self._concerns(name, thread, arguments)
        if path is None:
            return 0, 0, CONTINUE
        self.count += 1
        if self.count != self.at:
            return 0, 0, CONTINUE
        self.call = name, path
        error = KINDS[self.kind].error
        if not error:
            os.kill(process, signal.SIGKILL)
            return 0, -errno.EINTR, 0
        if name == "brk":
            return _heap_end(thread), 0, 0
        return 0, -(errno.ENOMEM if name == "mmap" else error), 0

    def _concerns(self, name: str, thread: int, arguments: list[int]) -> str | None:
        """The path that a call concerns; none if it passes uncounted."""
        if self.kind == "memory":
            return "" if _is_growth(name, thread, arguments) else None
        try:
            if name in {*RENAMES, *CREATES, *REMOVES}:
                if name in {"open", "openat"} and not _creates(arguments[2 if name == "openat" else 1]):
                    return None
                path = _named_path(name, thread, arguments)
            else:
                if name == "mmap" and arguments[3] & MAP_ANONYMOUS:
                    return None
                place = {"mmap": 4, "copy_file_range": 2}.get(name, 0)
                path = os.readlink(f"/proc/{thread}/fd/{_signed(arguments[place])}")
                if self.kind == "read" and path.endswith(" (deleted)"):
                    return None  # a library's memory, as that of ctypes: it has no name to be told
        except OSError:
            return None
        return path if path == self.folder or path.startswith(self.folder + "/") else None


def _creates(flags: int) -> bool:
    """Whether opening with these flags can create a file, with a name or without."""
    return bool(flags & os.O_CREAT or flags & os.O_TMPFILE == os.O_TMPFILE)


def _named_path(name: str, thread: int, arguments: list[int]) -> str:
    """The path that a call names, from the root."""
    is_from_folder = name in FROM_FOLDER
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        path = os.pread(memory.fileno(), 4096, arguments[1 if is_from_folder else 0])
    named = os.fsdecode(path.split(b"\0", 1)[0])
    start = _signed(arguments[0]) if is_from_folder else AT_FDCWD
    around = os.readlink(f"/proc/{thread}/cwd" if start == AT_FDCWD else f"/proc/{thread}/fd/{start}")
    return os.path.normpath(os.path.join(around, named))


def _is_growth(name: str, thread: int, arguments: list[int]) -> bool:
    """Whether a call asks for memory."""
    if name == "brk":
        return arguments[0] > _heap_end(thread)
    if name == "mremap":
        return arguments[2] > arguments[1]
    return bool(arguments[3] & MAP_ANONYMOUS and not arguments[3] & MAP_FIXED and arguments[1] >= MIN_MEMORY)


def _heap_end(thread: int) -> int:
    """Where the heap of a process ends; the end of memory where it has none, which grows no more."""
    end = (1 << 63) - 1
    with open(f"/proc/{thread}/maps") as maps:
        for line in maps:
            if line.endswith("[heap]\n"):  # the system may list it in parts, one after the other
                end = int(line.split(" ", 1)[0].split("-")[1], 16)
    return end


def _signed(number: int) -> int:
    """The 32-bit number with sign in an argument."""
    return (number & 0xFFFFFFFF) - (1 << 32 if number & 0x80000000 else 0)
