"""What is read of a text never depends on what comes later, and reading step by step is reading it whole."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from reml.predictors.retro.reader import CrossAttention, Reader
from tests.predictors.retro.stirring import stir
from tests.tiny_gpt2 import write_gpt2

M, R, K, VOCABULARY = 4, 8, 2, 259


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def folder(request: pytest.FixtureRequest, tiny_llama: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return tiny_llama if request.param == "llama" else write_gpt2(tmp_path_factory.mktemp("gpt2"))


def base(folder: str) -> Any:
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    return model.eval()


def made(folder: str, *, begun: bool = False, layers: tuple[int, ...] = (1, 2)) -> Reader:
    torch.manual_seed(0)
    reader = Reader(base(folder), CrossAttention(layers=layers, chunk=M, width=8, heads=2, depth=1))
    if not begun:
        stir(reader)
    return reader


def text(count: int = 14) -> tuple[Tensor, Tensor]:
    """Token ids of two texts, and of two neighbours of each of their whole chunks, the second one short."""
    torch.manual_seed(1)
    neighbours = torch.randint(3, VOCABULARY, (2, count // M, K, R))
    neighbours[:, :, 1, 5:] = -1
    return torch.randint(3, VOCABULARY, (2, count)), neighbours


def whole(reader: Reader, ids: Tensor, neighbours: Tensor) -> Tensor:
    logits: Tensor = reader(ids, neighbours, reader.begin(len(ids), neighbours.shape[2]))[0]
    return logits


@torch.no_grad()
def test_nothing_later_changes_an_earlier_logit(folder: str) -> None:
    reader = made(folder)
    ids, neighbours = text()
    before = whole(reader, ids, neighbours)
    for place in range(ids.shape[1]):
        changed = ids.clone()
        changed[:, place] = (changed[:, place] + 7) % 200 + 3
        after = whole(reader, changed, neighbours)
        assert torch.equal(after[:, :place], before[:, :place])
        assert (after[:, place] - before[:, place]).abs().max() > 0
    for chunk in range(neighbours.shape[1]):  # its neighbours are first seen by its own last token
        other = neighbours.clone()
        other[:, chunk, 0] = (other[:, chunk, 0] + 7) % 200 + 3
        after = whole(reader, ids, other)
        first = (chunk + 1) * M - 1
        assert torch.equal(after[:, :first], before[:, :first])
        assert ((after - before)[:, first].abs().amax(dim=1) > 1e-5).all()


@pytest.mark.parametrize("sizes", [[1] * 14, [4, 4, 4, 2], [3, 1, 6, 4], [14], [5, 9]])
@torch.no_grad()
def test_reading_on_is_reading_whole(folder: str, sizes: list[int]) -> None:
    reader = made(folder)
    ids, neighbours = text()
    neighbours[1, 1] = -1  # a chunk that nothing was found for
    parts, progress, place = [], reader.begin(2, K), 0
    for size in sizes:
        ends = neighbours[:, place // M : (place + size) // M]
        logits, progress = reader(ids[:, place : place + size], ends, progress, go_on=True)
        parts.append(logits)
        place += size
    torch.testing.assert_close(torch.cat(parts, dim=1), whole(reader, ids, neighbours), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_without_neighbours_and_before_training_it_is_the_language_model(folder: str) -> None:
    ids, neighbours = text()
    bare = base(folder)(input_ids=ids).logits
    assert torch.equal(whole(made(folder, begun=True), ids, neighbours), bare)
    reader = made(folder)
    assert torch.equal(whole(reader, ids, neighbours[:, :, :0]), bare)
    assert torch.equal(whole(reader, ids, torch.full_like(neighbours, -1)), bare)
    told = whole(reader, ids, neighbours)
    assert torch.equal(told[:, : M - 1], bare[:, : M - 1])
    assert (told[:, M - 1 :] - bare[:, M - 1 :]).abs().amax(dim=2).min() > 1e-5
    alone = neighbours.clone()
    alone[1] = -1
    torch.testing.assert_close(whole(reader, ids, alone)[1], bare[1])


@torch.no_grad()
def test_a_text_shorter_than_a_chunk_has_no_neighbours(folder: str) -> None:
    ids, neighbours = text(M - 1)
    assert neighbours.shape[1] == 0
    bare = base(folder)(input_ids=ids).logits
    assert torch.equal(whole(made(folder), ids, neighbours), bare)


def test_layers_are_those_of_the_paper_unless_given(tiny_llama: str) -> None:
    assert made(tiny_llama, layers=()).after == (1,)
    assert made(tiny_llama, layers=(2,)).after == (2,)
    for wrong in ((0,), (1, 3)):
        with pytest.raises(ValueError, match="the model has 1 to 2"):
            made(tiny_llama, layers=wrong)


def test_neighbours_of_another_number_of_chunks_are_refused(tiny_llama: str) -> None:
    ids, neighbours = text()
    with pytest.raises(ValueError, match="3 chunks end in this piece, and there are neighbours of 2"):
        whole(made(tiny_llama), ids, neighbours[:, :2])
