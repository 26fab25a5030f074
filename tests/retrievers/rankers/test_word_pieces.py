from __future__ import annotations

from pathlib import Path

import pytest
import torch

from reml.files.atomic import CorruptError
from reml.retrievers.rankers.word_pieces import WordPieces, centred
from tests.predictors.conftest import PIECES, SIZE
from tests.small_cross_encoder import write_cross_encoder


def test_pieces_and_embeddings_are_the_models(tmp_path: Path) -> None:
    model = write_cross_encoder(tmp_path / "model", labels=None)
    pieces, embeddings = WordPieces.of_model(model)
    assert embeddings.shape == (SIZE, 32)
    assert len(pieces) == SIZE
    numbers = pieces.number(["The capital of Chad", "", "ox"], 3)
    assert [[PIECES[number] for number in text] for text in numbers] == [["the", "capital", "of"], [], ["o", "##x"]]


def test_what_is_written_numbers_alike(tmp_path: Path) -> None:
    pieces, _ = WordPieces.of_model(write_cross_encoder(tmp_path / "model", labels=None))
    pieces.write(tmp_path / "pieces.json")
    again = WordPieces.read(tmp_path / "pieces.json")
    assert again.number(["a river"], 9) == pieces.number(["a river"], 9)
    assert again.fingerprint == pieces.fingerprint
    (tmp_path / "pieces.json").write_text("{}")
    with pytest.raises(CorruptError, match=r"pieces\.json is no tokeniser"):
        WordPieces.read(tmp_path / "pieces.json")


def test_centred_embeddings_have_no_mean_and_deviation_one() -> None:
    torch.manual_seed(0)
    found = centred(7 + 3 * torch.randn(50, 8))
    torch.testing.assert_close(found.mean(dim=0), torch.zeros(8), atol=1e-5, rtol=0)
    assert found.std().item() == pytest.approx(1, abs=1e-5)
    assert centred(torch.ones(3, 2)).tolist() == [[0, 0]] * 3
