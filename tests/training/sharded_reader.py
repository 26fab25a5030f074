"""A command that trains a reader: `python -m tests.training.sharded_reader FOLDER MODEL DEVICES FAILS`."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from transformers import T5Config, T5ForConditionalGeneration

from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.devices.rank_zero import is_rank_zero, local_rank
from reml.files.atomic import write_json
from reml.predictors.fid import FiD
from reml.training.data.sets import DevSet, TrainSet
from reml.training.loop.fit import fit
from reml.training.regimes.regimes import Independent
from reml.training.settings import Training
from tests.predictors.conftest import END, SIZE, tiny_tokeniser
from tests.training.pointing import retrieved

SETTINGS = Training(
    steps=4, batch_size=4, accumulate=2, rate=0.02, check_every=2, save_every=3, clip=0.5, precision="32-true"
)
ASKED = retrieved(8, 11)


class BreakError(RuntimeError):
    pass


class Watched(Independent):
    """Notes of how many numbers of its parameters this process holds a share; may fail in a step.

    fails: in which computation of a loss, from 1.
    """

    def __init__(self, predictor: FiD, folder: Path, fails: int | None) -> None:
        super().__init__(predictor)
        self._folder, self._fails, self._calls = folder, fails, 0

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        shares = [parameter.to_local() for parameter in self.parameters() if isinstance(parameter, DTensor)]
        if shares:
            write_json(self._folder / f"held-{local_rank()}.json", sum(share.numel() for share in shares))
        return self

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        self._calls += 1
        if self._calls == self._fails:
            raise BreakError
        return super().forward(batch)


def length(_: Sequence[Example], answers: Sequence[Answer]) -> float:
    """Score what an untrained model says."""
    return sum(len(answer.text or "") for answer in answers) / len(answers)


def write_model(folder: Path, dropout: float) -> None:
    """Write a T5 of two layers and a tokeniser."""
    torch.manual_seed(0)
    config = T5Config(vocab_size=SIZE, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, dropout_rate=dropout)
    config.pad_token_id, config.eos_token_id, config.decoder_start_token_id = 0, 3, 0
    T5ForConditionalGeneration(config).save_pretrained(folder)
    tiny_tokeniser(eos_token=END).save_pretrained(folder)


def main(folder: Path, model: Path, devices: int, fails: int | None) -> None:
    """Train, up to a crash if that is wanted; then write what the reader answers."""
    folder.mkdir(parents=True, exist_ok=True)
    watched = Watched(FiD(str(model), input_tokens=64, answer_tokens=6), folder, fails)
    if not is_rank_zero():
        for parameter in watched.parameters():
            nn.init.zeros_(parameter)  # it is the first process whose weights count
    settings = replace(SETTINGS, devices=devices, sharded=devices > 1)
    with contextlib.suppress(BreakError):
        fit(watched, TrainSet.of(retrieved(0, 8)), dev=[DevSet("dev", ASKED, length)], settings=settings, folder=folder)
        batch = ASKED.take(np.arange(len(ASKED)))
        answers = watched.predictor.generate(batch)
        write_json(folder / "answers.json", [answer.text for answer in answers])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]) or None)
