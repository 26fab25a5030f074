"""Every class that loads a model refuses the same folders in the same sentences, naming model, file and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reml.files.model_location import ModelError
from reml.predictors.fid import FiD
from reml.predictors.fid_copy import CopyFiD
from reml.predictors.in_context import InContext
from reml.predictors.knn_lm import KnnLm
from reml.predictors.span import Span
from reml.retrievers.encoders.clip_encoder import ClipEncoder
from reml.retrievers.encoders.dense_encoder import DenseEncoder
from reml.retrievers.rankers.bi_encoder import BiEncoder
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.splade import Splade
from reml.retrievers.states import States
from reml.testing import MemoryCollection
from tests.text.models import folders

NOTHING = MemoryCollection([])
Write = Callable[[Path], str]
LOADERS: dict[str, tuple[Write, Callable[[str], object]]] = {
    "dense": (folders.write_plain, DenseEncoder.load),
    "bi-encoder": (folders.write_plain, lambda model: BiEncoder(model).module),
    "sparse": (folders.write_masked, lambda model: Splade(model=model).encoder(NOTHING, Path("unused"))),
    "cross-encoder": (folders.write_classifier, lambda model: CrossEncoder(model).module),
    "clip": (folders.write_images, ClipEncoder.load),
    "fid": (folders.write_t5, FiD),
    "copying": (folders.write_plain, CopyFiD),
    "span": (folders.write_plain, Span),
    "in-context": (folders.write_llama, InContext),
    "knn-lm": (folders.write_llama, KnnLm),
    "states": (folders.write_llama, lambda model: States(model).index(NOTHING, Path("unused"))),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[Write, Path]:
    root = tmp_path_factory.mktemp("whole")
    writers = {write for write, _ in LOADERS.values()}
    return {write: Path(write(root / write.__name__)) for write in writers}


@pytest.mark.parametrize("spoil", folders.SPOILT, ids=lambda one: str(one.__name__))
@pytest.mark.parametrize("loader", LOADERS)
def test_a_spoilt_folder_is_refused(
    loader: str,
    spoil: Callable[[Path], str],
    whole: dict[Write, Path],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    write, load = LOADERS[loader]
    folder = folders.copied(whole[write], tmp_path / "the-model")
    said = spoil(folder)
    with pytest.raises(ModelError, match=said) as refusal:
        load(str(folder))
    sentence = str(refusal.value)
    assert "the-model" in sentence
    assert "\n" not in sentence
    assert "REPORT" not in "".join(capfd.readouterr()), "no table of transformers beside it"


@pytest.mark.parametrize("loader", [name for name in LOADERS if name != "states"])
def test_a_whole_folder_is_loaded(loader: str, whole: dict[Write, Path]) -> None:
    write, load = LOADERS[loader]
    load(str(whole[write]))


@pytest.mark.parametrize("loader", LOADERS)
def test_where_there_is_no_model_it_says_what_to_name(loader: str, tmp_path: Path) -> None:
    _, load = LOADERS[loader]
    with pytest.raises(FileNotFoundError, match=r"cannot be loaded: give a hub id, a folder of a transformers "):
        load(str(tmp_path / "nothing"))
    (tmp_path / "a-file").write_text("x")
    with pytest.raises(ModelError, match=r"is a file|cannot be loaded"):
        load(str(tmp_path / "a-file"))


@pytest.mark.parametrize("loader", ["in-context", "knn-lm"])
def test_a_gguf_file_that_is_none_is_named(loader: str, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    for content, said in ((folders.POINTER, r"m\.gguf is a pointer of git-lfs"), ("GGUF", r"m\.gguf is no GGUF file")):
        path.write_text(content)
        with pytest.raises(ModelError, match=said):
            LOADERS[loader][1](str(path))
    with pytest.raises(ModelError, match="a GGUF file is read where a language model is wanted"):
        DenseEncoder.load(str(path))


def others() -> list[tuple[str, Write, str]]:
    """Whole folders of another kind than is wanted."""
    return [
        ("sparse", folders.write_plain, "lacks cls.predictions"),
        ("fid", folders.write_plain, "Unrecognized configuration class"),
        ("fid", folders.write_llama, "Unrecognized configuration class"),
        ("in-context", folders.write_masked, "is a BertForMaskedLM by its config.json, no language model"),
        ("in-context", folders.write_plain, "lacks cls.predictions"),
        ("in-context", folders.write_t5, "Unrecognized configuration class"),
        ("cross-encoder", folders.write_plain, "has no classifier, so that it would rank at random"),
        ("span", folders.write_t5, r"has no \[CLS\] and \[SEP\] tokens"),
        ("dense", folders.write_images, "reads images too"),
        ("clip", folders.write_plain, "is a bert by its config.json, no CLIP: name a CLIP"),
    ]


@pytest.mark.parametrize(("loader", "write", "said"), others())
def test_a_model_of_another_kind_is_refused(loader: str, write: Write, said: str, whole: dict[Write, Path]) -> None:
    with pytest.raises(ModelError, match=said):
        LOADERS[loader][1](str(whole[write]))


def test_a_tokeniser_that_knows_few_of_many_tokens_is_another_models(tmp_path: Path) -> None:
    folder = folders.put(tmp_path / "the-model", folders.bert(vocab_size=1200))
    with pytest.raises(ModelError, match=r"knows \d+ tokens, .* embedding has 1200 rows: it is another model's"):
        DenseEncoder.load(folder)


def test_code_in_a_folder_is_run_where_it_is_trusted(whole: dict[Write, Path], tmp_path: Path) -> None:
    folder = folders.copied(whole[folders.write_plain], tmp_path / "the-model")
    folders.code_of_its_own(folder)
    with pytest.raises(ModelError, match="set `trust_remote_code: true`, or name another model"):
        DenseEncoder.load(str(folder))
    with pytest.raises(SystemExit, match="code was run"):
        DenseEncoder.load(str(folder), trust_remote_code=True)
