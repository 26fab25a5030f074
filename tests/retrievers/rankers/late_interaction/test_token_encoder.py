from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from reml.files.atomic import CorruptError
from reml.files.model_location import ModelError
from reml.retrievers.rankers.late_interaction import TokenReading
from reml.retrievers.rankers.late_interaction.token_encoder import TokenEncoder
from reml.testing import MemoryCollection, TrainableEncoderContract
from reml.text.models.encoders import load_encoder
from tests.damage import flip
from tests.retrievers.rankers.late_interaction.small import PAPER, PLAIN
from tests.small_cross_encoder import write_cross_encoder

COLLECTION = MemoryCollection(["the capital, of (chad)", "river", ""], ["what", "", ""])
ITEMS = COLLECTION.get(COLLECTION.rows())


class TestTokenEncoder(TrainableEncoderContract):
    trained = False

    @pytest.fixture(autouse=True)
    def _written(self, small_bert: str) -> None:
        self.folder = small_bert

    def make(self) -> TokenEncoder:
        torch.manual_seed(0)
        return TokenEncoder.load(self.folder, PAPER, new_projection=8)


def by_hand(folder: str, ids: list[int], length: int, projection: torch.nn.Linear | None = None) -> torch.Tensor:
    """The vectors of one text alone, of which the first `length` tokens are attended to."""
    model = AutoModel.from_pretrained(folder).eval()
    attended = (torch.arange(len(ids)) < length).long()[None]
    with torch.no_grad():
        states = model(input_ids=torch.tensor([ids]), attention_mask=attended).last_hidden_state[0]
        states = states if projection is None else projection(states)
    made: torch.Tensor = states / states.norm(dim=1, keepdim=True)
    return made


def ids_of(folder: str, *words: str) -> list[int]:
    known = AutoTokenizer.from_pretrained(folder).get_vocab()
    return [known[word] for word in words]


def test_a_query_is_marked_and_filled_up_with_mask_tokens(small_bert: str) -> None:
    encoder = TokenEncoder.load(small_bert, PAPER, new_projection=8)
    asked = encoder.query_vectors(["what is the river", "chad"]).detach()
    assert asked.shape == (2, 16, 8)
    for vectors, words in zip(asked, (["what", "is", "the", "river"], ["chad"]), strict=True):
        read = ["country", *words]  # this tokeniser puts no special tokens around a text
        ids = ids_of(small_bert, *read, *["[UNK]"] * (16 - len(read)))
        torch.testing.assert_close(vectors, by_hand(small_bert, ids, len(read), encoder.projection))


def test_the_marker_stands_behind_the_first_special_token(small_bert: str) -> None:
    encoder = TokenEncoder.load(small_bert, PAPER)
    first, marker, word = ids_of(small_bert, "[CLS]", "supports", "river")
    assert encoder._ids(["river"], "item") == [[marker, word]]
    assert encoder._ids(["[CLS] river"], "item") == [[first, marker, word]]


def test_items_have_no_vectors_of_punctuation(small_bert: str) -> None:
    words = ["what", "the", "capital", ",", "of", "(", "chad", ")"]
    ids = ids_of(small_bert, "supports", *words)
    whole = by_hand(small_bert, ids, len(ids))
    read = TokenEncoder.load(small_bert, PAPER).encode_items(ITEMS)
    kept = torch.tensor([not set(word) & set(",()") for word in ["supports", *words]])
    torch.testing.assert_close(torch.from_numpy(read.take(np.array([0])).values), whole[kept])
    every = TokenEncoder.load(small_bert, replace(PAPER, skip_punctuation=False, title=False)).encode_items(ITEMS)
    assert np.diff(every.indptr).tolist() == [8, 2, 1]
    assert np.diff(read.indptr).tolist() == [6, 2, 1]


def test_padding_is_zeros_and_changes_no_vector(small_bert: str) -> None:
    encoder = TokenEncoder.load(small_bert, PLAIN)
    texts = ["chad", "what is the capital of the country", ""]
    among = encoder.query_vectors(texts).detach()
    assert among.shape == (3, 7, 32)
    assert not among[0, 1:].any()
    assert not among[2].any()
    torch.testing.assert_close(among[0, :1], by_hand(small_bert, ids_of(small_bert, "chad"), 1))


def test_texts_that_are_too_long_are_cut_and_it_is_said_once(small_bert: str, caplog: pytest.LogCaptureFixture) -> None:
    encoder = TokenEncoder.load(small_bert, replace(PAPER, query_tokens=4))
    with caplog.at_level(logging.WARNING):
        assert encoder.query_vectors(["what is the"]).shape == (1, 4, 32)
    assert not caplog.messages
    with caplog.at_level(logging.WARNING):
        long = encoder.query_vectors(["what is the river", "of " * 50])
    assert long.shape == (2, 4, 32)
    torch.testing.assert_close(long[0], encoder.query_vectors(["what is the"])[0])
    (said,) = caplog.messages
    assert "reads 3 tokens of each query. Of 'what is the river', which has 4" in said
    assert "Set `query_tokens`" in said


def test_what_is_saved_comes_back_with_its_reading(small_bert: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    encoder = TokenEncoder.load(small_bert, PAPER, new_projection=8)
    encoder.save(tmp_path / "saved")
    again = TokenEncoder.load(str(tmp_path / "saved"))
    assert again.reading == encoder.reading
    assert again.fingerprint() == encoder.fingerprint()
    torch.testing.assert_close(again.item_vectors(ITEMS), encoder.item_vectors(ITEMS))
    assert TokenEncoder.load(str(tmp_path / "saved"), new_projection=8).fingerprint() == encoder.fingerprint()
    with pytest.raises(ValueError, match=r"projects by \[8, 32\].* new_projection is 4: leave"):
        TokenEncoder.load(str(tmp_path / "saved"), new_projection=4)
    other = TokenEncoder.load(str(tmp_path / "saved"), replace(PAPER, title=False, batch_size=7))
    assert other.fingerprint() != encoder.fingerprint()
    flip(tmp_path / "saved" / "projection.safetensors", -2)
    with pytest.raises(CorruptError, match=r"projection\.safetensors is not what was written"):
        TokenEncoder.load(str(tmp_path / "saved"))


def test_what_a_model_does_not_have_is_refused(small_bert: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no token '\[unused0\]' to mark.*\"\" for none"):
        TokenEncoder.load(small_bert)
    with pytest.raises(ValueError, match="has no mask token: set `augment: false`"):
        TokenEncoder.load(write_cross_encoder(tmp_path / "maskless", labels=None), replace(PLAIN, augment=True))
    with pytest.raises(ValueError, match="item_tokens is 99, but the model takes 32 tokens"):
        TokenEncoder.load(small_bert, replace(PLAIN, item_tokens=99))
    with pytest.raises(ValueError, match="query_tokens is 4 or more, special tokens with them, not 3"):
        TokenReading(query_tokens=3)


def published(folder: Path, small_bert: str, **changes: object) -> str:
    """Write a folder as ColBERT's authors do: `linear.weight` beside `bert.`, and how texts are read."""
    shutil.copytree(small_bert, folder)
    weights = load_file(folder / "model.safetensors")
    named = {f"bert.{name.removeprefix('bert.')}": value for name, value in weights.items()}
    torch.manual_seed(1)
    save_file({**named, "linear.weight": torch.randn(6, 32)}, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["HF_ColBERT"]}))
    said = {"query_maxlen": 9, "doc_maxlen": 11, "query_token_id": "country", "doc_token_id": "supports", "dim": 6}
    said |= {"mask_punctuation": False, "attend_to_mask_tokens": False, **changes}
    (folder / "artifact.metadata").write_text(json.dumps(said))
    return str(folder)


def test_a_folder_of_the_authors_program_is_read_as_it_says(small_bert: str, tmp_path: Path) -> None:
    folder = published(tmp_path / "colbert", small_bert)
    encoder = TokenEncoder.load(folder)
    assert encoder.width == 6
    assert encoder.reading == TokenReading(
        query_tokens=9, item_tokens=11, query_marker="country", item_marker="supports", skip_punctuation=False
    )
    plain = TokenEncoder.load(small_bert, encoder.reading)
    with torch.no_grad():
        found, states = (one.query_vectors(["the river"]) for one in (encoder, plain))
    assert encoder.projection is not None
    weight = load_file(Path(folder) / "model.safetensors")["linear.weight"]
    torch.testing.assert_close(encoder.projection.weight.data, weight)
    projected = torch.nn.functional.normalize(states @ weight.T, dim=-1)
    torch.testing.assert_close(found, projected, atol=2e-2, rtol=0)
    encoder.save(tmp_path / "saved")
    assert TokenEncoder.load(str(tmp_path / "saved")).fingerprint() == encoder.fingerprint()


def test_what_is_not_known_of_such_a_folder_is_refused(small_bert: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="lets tokens attend to"):
        TokenEncoder.load(published(tmp_path / "other", small_bert, attend_to_mask_tokens=True))
    with pytest.raises(ModelError, match=r"linear\.weight, for which the model of its config\.json has no place"):
        load_encoder(published(tmp_path / "dense", small_bert))
