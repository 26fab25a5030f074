from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from reml.devices.precision import autocast, fast_bfloat16

CPU = torch.device("cpu")


def test_the_probe_agrees_with_what_the_system_says_of_the_processor() -> None:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        pytest.skip("this system has no /proc/cpuinfo to compare with")
    flags = cpuinfo.read_text().split()
    assert fast_bfloat16("cpu") == ("amx_bf16" in flags or "avx512_bf16" in flags)
    assert not fast_bfloat16("meta")


@pytest.mark.parametrize(("precision", "dtype"), [("bfloat16", torch.bfloat16), ("float32", torch.float32)])
def test_a_precision_that_is_asked_for_is_used(precision: str, dtype: torch.dtype) -> None:
    matrix = torch.ones(2, 2)
    with autocast(CPU, precision):  # type: ignore[arg-type]
        assert (matrix @ matrix).dtype == dtype
    assert (matrix @ matrix).dtype == torch.float32


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What the probe has found stands for a process's life: have it forgotten before and after a test."""
    fast_bfloat16.cache_clear()
    yield
    fast_bfloat16.cache_clear()


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    ("instructions", "dtype"),
    [
        ({}, torch.float32),
        ({"avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx512_bf16": True, "amx_bf16": False}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_left_to_the_machine_it_is_what_the_processor_is_fast_in(
    instructions: dict[str, bool], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a processor as torch would describe it, so that either way is tried on any machine."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    matrix = torch.ones(2, 2)
    with autocast(CPU):
        assert (matrix @ matrix).dtype == dtype
