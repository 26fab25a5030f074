"""Seconds and bytes as a person would say them."""

from __future__ import annotations

from reml.contract.examples import Json


def duration(seconds: Json) -> str:
    """Say a number of seconds as a person would; a dash for what is no number."""
    if not isinstance(seconds, int | float):
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def memory(size: Json) -> str:
    """Say a number of bytes in KiB, MiB or GiB; a dash for what is no number."""
    if not isinstance(size, int | float):
        return "–"
    if size < 2**20:
        return f"{size / 2**10:.0f} KiB"
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
