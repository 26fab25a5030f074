from __future__ import annotations

import pytest

from reml.contract.examples import Example
from reml.kilt.catalogue import dataset
from reml.kilt.templates import PlainQuery, plain_input, t5_input


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("nq", "who?", "Question Answering: who?"),
        ("eli5", "why?", "Question Answering: why?"),
        ("fever", "It is.", "Fact Checking: It is."),
        ("trex", "Chad [SEP] capital", "Slot Filling: Chad [SEP] capital"),
        ("structured_zeroshot", "Chad [SEP] capital", "Relation Extraction: Chad [SEP] capital"),
        ("wow", "Hi!\nHello.", "Dialogue: Hi![SEP]Hello."),
        ("wned", "a b c [START_ENT] d e [END_ENT] f g h", "Entity Linking: b c [START_ENT] d e [END_ENT] f g"),
        ("cweb", "no mention", "Entity Linking: no mention"),
    ],
)
def test_inputs_as_the_t5_baseline_reads_them(name: str, given: str, shown: str) -> None:
    assert t5_input(dataset(name), given, words=2) == shown


@pytest.mark.parametrize("text", ["who?", "Chad [SEP] capital", "Question: who?", ""])
def test_a_text_without_a_kind_of_task_is_its_own_query(text: str) -> None:
    assert plain_input(text) == text


def test_queries_leave_out_the_kind_of_task() -> None:
    shown = [t5_input(dataset(name), text) for name, text in (("wow", "Hi!\nHello."), ("trex", "Chad [SEP] capital"))]
    queries = PlainQuery()([Example(str(number), text) for number, text in enumerate(shown)])
    assert queries.texts == ("Hi!\nHello.", "Chad [SEP] capital")
