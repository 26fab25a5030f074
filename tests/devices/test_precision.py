from __future__ import annotations

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


def test_left_to_the_machine_it_is_what_the_probe_says() -> None:
    matrix = torch.ones(2, 2)
    with autocast(CPU):
        assert ((matrix @ matrix).dtype == torch.bfloat16) == fast_bfloat16("cpu")
