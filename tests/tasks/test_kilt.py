from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

from reml.collection.sources.kilt_pages import write_pages
from reml.contract.examples import Answer, Example, Page, Provenance
from reml.contract.tasks import Task
from reml.evaluation.metrics import KiltMetric, metric_of
from reml.files.records import read_examples, write_examples
from reml.tasks.kilt import Kilt
from reml.testing import TaskContract

PAGE = Page("1", "Chad", ("Chad", "Its capital is N'Djamena."))
PLACE = Provenance("1", "Chad", 1, 15, 1, 24)
EXAMPLES = [Example(f"q{number}", "capital of Chad?", (Answer("N'Djamena", (PLACE,)),)) for number in range(3)]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    write_examples(EXAMPLES[:2], tmp_path / "nq-train-kilt.jsonl.gz")
    write_examples(EXAMPLES[2:], tmp_path / "nq-dev-kilt.jsonl")
    write_examples([Example("t", "capital of Mali?")], tmp_path / "nq-test_without_answers-kilt.jsonl")
    write_pages([PAGE], tmp_path / "kilt_knowledgesource.json")
    return str(tmp_path)


class TestKilt(TaskContract):
    @pytest.fixture(autouse=True)
    def _folder(self, folder: str) -> None:
        self.folder = folder

    def make(self) -> Task:
        return Kilt("nq", self.folder)

    def test_it_has_the_name_and_the_measure_of_its_dataset(self) -> None:
        assert (self.make().name, metric_of(self.make())) == ("nq", KiltMetric("em"))

    def test_the_test_split_has_no_answers(self) -> None:
        (example,) = self.make().examples("test")
        assert example.answers == ()

    def test_limit_keeps_the_first_examples(self) -> None:
        assert list(Kilt("nq", self.folder, limit=1).examples("train")) == EXAMPLES[:1]

    def test_inputs_can_be_shown_as_t5_reads_them(self) -> None:
        (example,) = Kilt("nq", self.folder, template="t5").examples("dev")
        assert example.input == "Question Answering: capital of Chad?"
        assert example.output == EXAMPLES[2].output

    def test_any_knowledge_source_will_do(self, tmp_path: Path) -> None:
        source = self.make().source()
        assert Kilt("nq", self.folder, knowledge_source=source).source() is source
        write_pages([PAGE], tmp_path / "other.jsonl.gz")
        other = Kilt("nq", self.folder, knowledge_source=str(tmp_path / "other.jsonl.gz"))
        assert [page.title for page in other.source().pages()] == ["Chad"]

    def test_it_is_made_from_yaml_alone(self, tmp_path: Path) -> None:
        config = tmp_path / "task.yaml"
        config.write_text(
            "task:\n  class_path: reml.tasks.kilt.Kilt\n  init_args:\n    dataset: nq\n"
            f"    folder: {self.folder}\n    limit: 1\n"
        )
        parser = ArgumentParser()
        parser.add_argument("--config", action="config")
        parser.add_argument("--task", type=Task)
        task = parser.instantiate(parser.parse_args(["--config", str(config)])).task
        assert isinstance(task, Kilt)
        assert list(task.examples("train")) == EXAMPLES[:1]


def test_nothing_is_asked_of_the_network(tmp_path: Path) -> None:
    task = Kilt("fever", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="reml prepare kilt --datasets fever --splits dev"):
        task.examples("dev")
    with pytest.raises(FileNotFoundError, match="reml prepare kilt --pages fetch"):
        task.source()


def test_settings_that_are_not_allowed_are_errors_at_once() -> None:
    with pytest.raises(ValueError, match="no dataset 'squad'"):
        Kilt("squad")
    with pytest.raises(ValueError, match=r"Kilt\.template is 't6', but must be one of 'input', 't5'"):
        Kilt("nq", template="t6")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="limit is 0"):
        Kilt("nq", limit=0)
    with pytest.raises(ValueError, match="has no split 'train'"):
        Kilt("wned").examples("train")


@pytest.mark.parametrize(
    ("name", "train", "dev"),
    [("fever", 1208, 287), ("aidayago2", 124, 137), ("trex", 7085, 1000), ("hotpotqa", 294, 110), ("wow", 376, 142)],
)
def test_a_local_folder_of_real_text(shared: Path, name: str, train: int, dev: int) -> None:
    task = Kilt(name, str(shared / "minikilt"))
    assert (len(task.examples("train")), len(task.examples("dev"))) == (train, dev)
    assert next(iter(task.source().pages())).id == "1"


@pytest.mark.parametrize("name", ["wow", "hotpotqa"])
def test_real_files_of_kilt_come_back_byte_for_byte(shared: Path, tmp_path: Path, name: str) -> None:
    path = shared / "minikilt" / "raw_kilt" / f"{name}-dev-kilt.jsonl.gz"
    examples = Kilt(name, str(path.parent)).examples("dev")
    assert len(examples) == 1500
    write_examples(examples, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == gzip.decompress(path.read_bytes())
    assert list(read_examples(tmp_path / "again.jsonl")) == list(examples)
