"""Numbers as people read them. Mb is a million bases, MB a million bytes."""

__all__ = ["bases", "count", "duration", "memory", "rate", "shorten"]


def count(number: int, noun: str = "", plural: str = "") -> str:
    """`1,234 files`; the noun in the plural where it is due."""
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def bases(number: float) -> str:
    """`7.69 Mb`: three digits and a unit of bases."""
    return _scaled(number, ("bases", "kb", "Mb", "Gb", "Tb"))


def memory(num_bytes: float) -> str:
    """`123 MB`: three digits and a unit of bytes."""
    return _scaled(num_bytes, ("bytes", "kB", "MB", "GB", "TB"))


def rate(num_bases: float, seconds: float) -> str:
    """`61.2 Mbp/s`: million bases per second."""
    return f"{_three_digits(num_bases / max(seconds, 1e-9) / 1e6)} Mbp/s"


def duration(seconds: float) -> str:
    """`0.64 s`, `12.3 s`, `3 min 12 s`, `1 h 04 min`."""
    if seconds < 100:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def shorten(token: str, width: int) -> str:
    """`token`, or its two ends and its length where it is wider than `width` characters."""
    if len(token) <= width:
        return token
    tail = f" ({len(token):,} bases)"
    kept = max(width - len(tail) - 1, 8)
    return f"{token[: kept - kept // 3]}…{token[-(kept // 3) :]}{tail}"


def _scaled(number: float, units: tuple[str, ...]) -> str:
    """`number` in the largest unit of a thousand that leaves it at least one."""
    step = 0
    while number >= 999.5 and step + 1 < len(units):
        number /= 1000
        step += 1
    return f"{number:.0f} {units[0]}" if step == 0 else f"{_three_digits(number)} {units[step]}"


def _three_digits(number: float) -> str:
    """`number` with three digits that count."""
    if number >= 99.95:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 9.995 else f"{number:.2f}"
