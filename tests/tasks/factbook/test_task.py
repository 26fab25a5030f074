from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import combinations
from typing import get_args

import pytest

from reml.collection.checks import missing_pages
from reml.contract.examples import Example, Provenance
from reml.contract.tasks import Task
from reml.files.records import format_record, parse_record
from reml.tasks.by_digest import SPLITS
from reml.tasks.factbook import Factbook
from reml.tasks.factbook.aliases import adjectives, names, page_named
from reml.tasks.factbook.pages import FactbookPages, factbook_pages
from reml.tasks.factbook.relations import facts, relations
from reml.tasks.factbook.splits import split_of, subjects
from reml.tasks.factbook.task import Kind

KINDS: tuple[Kind, ...] = get_args(Kind)
TASKS = {kind: Factbook(kind) for kind in KINDS}
EXTRACTIVE: tuple[Kind, ...] = ("qa", "slot_filling", "multi_hop")


def everything(kind: Kind) -> list[Example]:
    return [example for split in SPLITS for example in TASKS[kind].examples(split)]


def held(item: Provenance) -> str:
    paragraph = factbook_pages()[item.wikipedia_id].page.paragraphs[item.start_paragraph_id or 0]
    return paragraph[item.start_character : item.end_character]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_a_task_with_its_measure_and_sizes(kind: Kind) -> None:
    task = TASKS[kind]
    assert isinstance(task, Task)
    assert task.name == f"factbook_{kind}"
    measures = {"qa": "em", "multi_hop": "em", "dialogue": "f1"}
    assert task.measure == measures.get(kind, "accuracy")
    sizes = [len(task.examples(split)) for split in SPLITS]
    assert sizes[1:] == ([300, 300] if kind == "qa" else [150, 150])
    assert sizes[0] == {"qa": 2400, "entity_linking": sizes[0]}.get(kind, 900)
    assert sizes[0] >= 600


@pytest.mark.parametrize("kind", KINDS)
def test_the_characters_of_every_provenance_hold_the_evidence(kind: Kind) -> None:
    examples = everything(kind)
    for example in examples:
        assert example.output
        for answer in example.output:
            assert answer.text
            assert answer.provenance
            for item in answer.provenance:
                assert item.meta == {"evidence_span": [held(item)]}
                assert item.title == factbook_pages()[item.wikipedia_id].page.title
                assert held(item) == held(item).strip() != ""
    assert missing_pages(examples, factbook_pages()) == []


@pytest.mark.parametrize("kind", EXTRACTIVE)
def test_the_first_answer_of_an_extractive_task_is_what_the_page_says(kind: Kind) -> None:
    assert all(held(example.output[0].provenance[-1]) == example.output[0].text for example in everything(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_ids_and_inputs_are_distinct_over_all_splits(kind: Kind) -> None:
    examples = everything(kind)
    assert len({example.id for example in examples}) == len(examples)
    assert len({example.input for example in examples}) == len(examples)


@pytest.mark.parametrize("kind", KINDS)
def test_examples_come_back_from_their_records(kind: Kind) -> None:
    assert all(parse_record(format_record(example)) == example for example in TASKS[kind].examples("dev"))


def test_countries_are_split_about_60_20_20() -> None:
    counts = Counter(split_of(page_id) for page_id in factbook_pages())
    assert 140 <= counts["train"] <= 170
    assert 38 <= counts["dev"] <= 65
    assert 38 <= counts["test"] <= 65
    assert {"ee", "xx"}.isdisjoint(page.page.id for split in SPLITS for page in subjects(split))


@pytest.mark.parametrize("kind", KINDS)
def test_no_country_of_dev_or_test_is_answered_in_training(kind: Kind) -> None:
    pages = {
        split: {item.wikipedia_id for example in TASKS[kind].examples(split) for item in example.output[0].provenance}
        for split in SPLITS
    }
    assert all(split_of(page_id) == "train" for page_id in pages["train"])
    if kind == "multi_hop":  # where the evidence of dev and test starts is held out, where it leads is not trained on
        assert pages["train"].isdisjoint(pages["dev"] | pages["test"])
    else:
        assert all(pages[one].isdisjoint(pages[other]) for one, other in combinations(SPLITS, 2))


@pytest.mark.parametrize("kind", ["qa", "fact_checking", "multi_hop", "dialogue"])
def test_wordings_of_dev_and_test_are_unseen_in_training(kind: Kind) -> None:
    kinds = {split: {example.meta["wording"] for example in TASKS[kind].examples(split)} for split in SPLITS}
    assert kinds["train"].isdisjoint(kinds["dev"] | kinds["test"])
    for relation in relations():
        seen = {text for name in ("questions", "claims", "follow_ups") for text in relation.wordings[name]}
        unseen = {
            text
            for name in ("held_out", "oblique", "held_out_claims", "held_out_follow_ups")
            for text in relation.wordings[name]
        }
        assert seen.isdisjoint(unseen)


def test_questions_are_of_many_relations_and_half_of_dev_is_oblique() -> None:
    dev = TASKS["qa"].examples("dev")
    assert len({example.meta["relation"] for example in dev}) >= 25
    assert sum(example.meta["wording"] == "oblique" for example in dev) >= 150


def test_a_slot_is_a_title_and_a_relation() -> None:
    for example in TASKS["slot_filling"].examples("dev"):
        title, _, relation = example.input.partition(" [SEP] ")
        assert title == example.output[0].provenance[0].title
        assert relation == example.meta["relation"]


@pytest.mark.parametrize("split", SPLITS)
def test_claims_are_balanced_and_say_what_their_label_says(split: str) -> None:
    examples = TASKS["fact_checking"].examples(split)
    labels = Counter(example.output[0].text for example in examples)
    assert labels["SUPPORTS"] == labels["REFUTES"] == len(examples) // 2
    for example in examples:
        [answer] = example.output
        fact = facts(answer.provenance[0].wikipedia_id)[str(example.meta["relation"])]
        assert held(answer.provenance[0]) == fact.value
        if answer.text == "SUPPORTS":
            assert fact.value.casefold() in example.input.casefold()
        else:
            stated = {value for value in values_of(fact.relation.name) if value.casefold() in example.input.casefold()}
            assert any(value.casefold() not in fact.part.text.casefold() for value in stated), example


def values_of(relation: str) -> set[str]:
    return {facts(page_id)[relation].value for page_id in factbook_pages() if relation in facts(page_id)}


def test_mentions_stand_in_the_text_of_another_page() -> None:
    for example in everything("entity_linking"):
        meta = {key: str(value) for key, value in example.meta.items()}
        marked = f"{meta['left_context']}[START_ENT] {meta['mention']} [END_ENT]{meta['right_context']}"
        assert example.input == marked
        target = example.output[0].provenance[0].wikipedia_id
        assert example.output[0].text == factbook_pages()[target].page.title
        assert meta["source"] != target
        text = f"{meta['left_context']}{meta['mention']}{meta['right_context']}"
        assert any(text in paragraph for paragraph in factbook_pages()[meta["source"]].page.paragraphs)
        assert not any(text in paragraph for paragraph in factbook_pages()[target].page.paragraphs)


def test_a_good_share_of_mentions_is_not_the_title() -> None:
    for split in SPLITS:
        examples = TASKS["entity_linking"].examples(split)
        other = [example for example in examples if example.meta["mention"] != example.output[0].text]
        assert len(other) >= len(examples) / 5


def test_names_mean_one_page() -> None:
    assert names()["Zaire"] == names()["DRC"] == "cg"
    assert names()["USA"] == "us"
    assert names()["Siam"] == "th"
    assert adjectives()["Norwegian"] == "no"
    assert "Congo" not in names()
    assert "German East Africa" not in names()  # the former name of three
    assert names()["Western Sahara"] == "wi"  # a former name of Morocco's, but the title of its own page
    named = page_named("the Netherlands")
    assert named is not None
    assert named.page.id == "nl"
    assert page_named("Atlantis") is None


def test_hops_lead_over_two_pages_and_do_not_name_the_second() -> None:
    for example in everything("multi_hop"):
        first, second = example.output[0].provenance
        assert first.wikipedia_id != second.wikipedia_id
        assert str(first.title).removeprefix("The ") in example.input
        title = str(second.title)
        assert title not in example.input.replace(str(first.title), ""), example


def test_the_longest_border_of_chad_is_that_with_the_central_african_republic() -> None:
    from reml.tasks.factbook.hops import BRIDGES

    hop = BRIDGES[0].find(factbook_pages()["cd"])
    assert hop is not None
    assert hop.page.page.title == "Central African Republic"
    assert held(hop.evidence) == "Central African Republic 1,556 km"


def test_the_subject_of_a_dialogue_is_only_in_its_history() -> None:
    for example in everything("dialogue"):
        *history, question = example.input.split("\n")
        title = str(example.output[0].provenance[0].title).removeprefix("The ")
        assert title in history[0]
        assert title not in question
        assert str(example.output[0].text).endswith(".")
        assert held(example.output[0].provenance[0]) in str(example.output[0].text)


def test_limit_keeps_the_first_examples() -> None:
    assert Factbook("qa", limit=5).examples("dev") == TASKS["qa"].examples("dev")[:5]


def test_what_is_not_there_is_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"Factbook\.kind is 'poetry', but must be one of 'qa', 'slot_filling'"):
        Factbook("poetry")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"factbook_qa has no split 'validation'. Choose one of \['train', 'dev'"):
        TASKS["qa"].examples("validation")
    with pytest.raises(ValueError, match="limit is 0"):
        Factbook("qa", limit=0)


def test_another_process_makes_the_same_examples() -> None:
    code = (
        "from reml.files.atomic import digest; from reml.files.records import format_record\n"
        "from reml.tasks.factbook import Factbook; from reml.tasks.factbook.pages import FactbookPages\n"
        f"kinds = {KINDS!r}\n"
        "print(FactbookPages().fingerprint, digest([[format_record(example) for split in ('train', 'dev', 'test')"
        " for example in Factbook(kind).examples(split)] for kind in kinds]))"
    )
    from reml.files.atomic import digest

    other = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    here = digest([[format_record(example) for example in everything(kind)] for kind in KINDS])
    assert other == [FactbookPages().fingerprint, here]


def test_regions_keep_the_evidence_of_every_example() -> None:
    pages = {page.id for page in Factbook("qa", regions=["south-america", "africa"]).source().pages()}
    assert len(pages) == 70
    for kind in ("qa", "slot_filling", "fact_checking", "entity_linking", "multi_hop", "dialogue"):
        task = Factbook(kind, regions=["africa", "south-america"])
        for split in ("train", "dev", "test"):
            examples = task.examples(split)
            assert examples
            assert pages >= {one.wikipedia_id for each in examples for a in each.output for one in a.provenance}
    few, all_ = Factbook("qa", regions=["south-america"]).examples("dev"), Factbook("qa").examples("dev")
    assert {example.id for example in few} - {example.id for example in all_}  # more of the region than of all
    assert len(few) == 161


def test_a_region_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"regions\[0\] is 'afrika', but must be one of 'africa'"):
        Factbook("qa", regions=["afrika"])  # type: ignore[list-item]
