from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

from reml.collection.disk import build_collection
from reml.collection.sources.ir_datasets import IrDatasetsTexts, load_ir_dataset
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Page
from reml.testing import KnowledgeSourceContract
from tests.ir_datasets_sets import registered

ir_datasets = pytest.importorskip("ir_datasets")


def test_documents_are_pages_and_blank_ones_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = IrDatasetsTexts(registered(tmp_path))
    with caplog.at_level(logging.WARNING):
        assert list(source.pages()) == [
            Page("d1", "", ("", "The capital of Chad is N'Djamena.")),
            Page("d2", "", ("", "Oslo is cold.")),
        ]
    assert "1 documents have neither text nor title" in caplog.text
    assert len(build_collection(source, tmp_path / "passages")) == 2


def test_a_title_stands_by_itself_and_not_in_the_text(tmp_path: Path) -> None:
    from ir_datasets.datasets.beir import BeirTitleDoc
    from ir_datasets.formats import BaseDocs

    class Documents(BaseDocs):  # type: ignore[misc]
        def docs_iter(self) -> Iterator[BeirTitleDoc]:
            yield BeirTitleDoc("1", "Chad is a country.", "Chad")
            yield BeirTitleDoc("2", "No title.", "")

    ir_datasets.registry.register("reml-test/titled", ir_datasets.Dataset(Documents()))
    assert list(IrDatasetsTexts("reml-test/titled").pages()) == [
        Page("1", "Chad", ("Chad", "Chad is a country.")),
        Page("2", "", ("", "No title.")),
    ]


def test_the_fingerprint_is_that_of_the_id(tmp_path: Path) -> None:
    one, two = registered(tmp_path), registered(tmp_path)
    assert IrDatasetsTexts(one).fingerprint == IrDatasetsTexts(one).fingerprint != IrDatasetsTexts(two).fingerprint


def test_it_is_made_from_yaml_alone(tmp_path: Path) -> None:
    config = tmp_path / "source.yaml"
    config.write_text(
        f"source:\n  class_path: reml.collection.sources.IrDatasetsTexts\n  init_args: {{id: {registered(tmp_path)}}}\n"
    )
    parser = ArgumentParser()
    parser.add_argument("--config", action="config")
    parser.add_argument("--source", type=KnowledgeSource)
    source = parser.instantiate(parser.parse_args(["--config", str(config)])).source
    assert isinstance(source, IrDatasetsTexts)
    assert len(list(source.pages())) == 2


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no dataset 'vaswany': https://ir-datasets\.com"):
        IrDatasetsTexts("vaswany")
    blind = registered(tmp_path, judged=False)
    with pytest.raises(ValueError, match=f"'{blind}' of ir_datasets has no qrels"):
        load_ir_dataset(blind, "queries", "qrels")


def test_public_ids_are_known_without_a_download() -> None:
    assert load_ir_dataset("beir/scifact/test", "docs", "queries", "qrels").has("docs")
    assert IrDatasetsTexts("msmarco-passage").fingerprint


class TestIrDatasetsTexts(KnowledgeSourceContract):
    @pytest.fixture(autouse=True)
    def _registered(self, tmp_path: Path) -> None:
        self.one, self.two = registered(tmp_path), registered(tmp_path)

    def make(self) -> KnowledgeSource:
        return IrDatasetsTexts(self.one)

    def other(self) -> KnowledgeSource:
        return IrDatasetsTexts(self.two)
