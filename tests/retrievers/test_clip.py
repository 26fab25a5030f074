"""Pictures and texts in one space, from files to hits, and trained with in-batch negatives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reml.access.information_access import InformationAccess
from reml.access.responses import gather
from reml.access.similarity import EncoderScorer
from reml.access.trajectory import trajectories
from reml.collection.disk import DiskCollection, create_collection
from reml.contract.examples import Answer, Example, Item, Media
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits, Queries
from reml.contract.retrievers import TrainableEncoder
from reml.feedback.contrastive import Contrastive
from reml.files.trajectories import TrajectoryFile, read_trajectories
from reml.retrievers.clip import Clip
from reml.retrievers.encoders.clip_encoder import ClipEncoder
from reml.testing import TrainableEncoderContract
from reml.training.regimes.ranking import Ranking, RankingObjective
from tests.small_clip import COLOURS, write_clip, write_picture


class TestClipEncoder(TrainableEncoderContract):
    trained = False

    @pytest.fixture(autouse=True)
    def _model(self, tmp_path: Path) -> None:
        self.model = write_clip(tmp_path / "clip")

    def make(self) -> TrainableEncoder:
        return ClipEncoder.load(self.model, batch_size=2)


def pictures(folder: Path) -> DiskCollection:
    collection = create_collection(folder / "pictures")
    collection.append_items([Item(0, media=(write_picture(folder, colour),)) for colour in COLOURS])
    return collection


def taught(encoder: ClipEncoder, collection: DiskCollection, steps: int = 60) -> list[float]:
    """Learn which picture a colour's name means, the other pictures of the batch being wrong."""
    examples = [Example(colour, f"a {colour} one") for colour in COLOURS]
    rows = np.stack([np.arange(6), (np.arange(6) + 1) % 6], axis=1)
    batch = Batch.of(examples, gather(collection, Hits(rows, np.tile(np.array([1, 0], dtype=np.float32), (6, 1)))))
    regime = Ranking(EncoderScorer(encoder), RankingObjective(Contrastive(temperature=0.1)), len(collection))
    optimiser = torch.optim.Adam(regime.parameters(), 3e-3)
    losses = []
    for _ in range(steps):
        loss = regime(batch)["ranking"].mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Clip, ClipEncoder, DiskCollection]:
    folder = tmp_path_factory.mktemp("clip")
    settings, collection = Clip(write_clip(folder / "model")), pictures(folder)
    encoder = settings.encoder(collection, folder / "start")
    losses = taught(encoder, collection)
    assert losses[-1] < 0.2 * losses[0]
    return folder, settings, encoder, collection


Learnt = tuple[Path, Clip, ClipEncoder, DiskCollection]


def test_a_text_finds_its_picture(learnt: Learnt) -> None:
    folder, settings, encoder, collection = learnt
    retriever = settings.index_with(encoder, collection, folder / "index")
    hits = retriever.search(Queries.of([f"a {colour} one" for colour in COLOURS]), 2)
    assert hits.rows[:, 0].tolist() == list(range(6))


def test_a_picture_finds_its_text_and_records_hold_its_path(learnt: Learnt) -> None:
    """An example without text asks with its picture; trajectories say which."""
    folder, settings, encoder, collection = learnt
    texts = create_collection(folder / "texts")
    texts.append_texts([f"a {colour} one" for colour in COLOURS])
    retriever = settings.index_with(encoder, texts, folder / "texts-index")
    media = [item.media for item in collection.get(collection.rows())]
    examples = [Example(colour, "", media=one) for colour, one in zip(COLOURS, media, strict=True)]
    batch = Batch(tuple(examples), {"clip": InformationAccess(retriever).open(examples)})
    assert batch.read.rows[:, 0].tolist() == list(range(6))
    made = trajectories(batch, [Answer("")] * 6)
    file = TrajectoryFile(folder / "trajectories.arrow")
    file.add(made)
    file.close()
    read = read_trajectories(folder / "trajectories.arrow")
    assert [one.asks[0].queries for one in read] == [(one.path,) for (one,) in media]


def test_several_pictures_of_an_item_are_one_vector(learnt: Learnt) -> None:
    _, _, encoder, collection = learnt
    red, lime = (item.media[0] for item in collection.get(np.array([0, 1])))
    both = encoder.encode_items([Item(0, "not read", media=(red, lime))]).values[0]
    alone = encoder.encode_queries([red, lime]).values
    np.testing.assert_allclose(both, alone.sum(axis=0) / np.linalg.norm(alone.sum(axis=0)), rtol=1e-4, atol=1e-5)


def test_what_it_cannot_read_is_refused_by_kind(learnt: Learnt, tmp_path: Path) -> None:
    encoder = learnt[2]
    with pytest.raises(ValueError, match=r"ClipEncoder reads images and texts, and 'a\.mp4#t=1\.0' is video"):
        encoder.encode_queries([Media("video", "a.mp4", 1.0)])
    with pytest.raises(FileNotFoundError, match=r"missing\.png"):
        encoder.encode_queries([Media("image", str(tmp_path / "missing.png"))])
    with pytest.raises(FileNotFoundError, match="a folder of a transformers CLIP"):
        ClipEncoder.load(str(tmp_path))
    with pytest.raises(ValueError, match="batch_size is 1 or more, not 0"):
        Clip("model", batch_size=0)
