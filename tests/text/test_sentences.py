"""Where sentences end: texts as they are written, in many scripts, each with what it is cut into."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.text.sentences import sentences

# What stands between the sentences of a text, and these.
CASES: list[tuple[str, list[str]]] = [
    (" ", ["It rained.", "We stayed in."]),
    (" ", ["Dr. Smith met Mr. J. R. R. Tolkien at 3.5 p.m. near St. Paul's.", "They talked."]),
    (" ", ["He moved to the U.S. in 1990.", "The U.S. Army paid.", "It was cold."]),
    (" ", ["She works for Acme Inc.", "The firm is old."]),
    (" ", ["She works for Acme Inc. Germany."]),
    (" ", ["Plan B.", "The next one failed."]),
    (" ", ['"Why?" he asked.', '"Stop!"', "She left."]),
    (" ", ['He said: "Stop."', "Then he left (at last).", "“No.”", "‘Yes!’"]),
    (" ", ["See Fig. 3 and No. 5.", "He was 42.", "Nobody came.", "He said no.", "Then he went."]),
    (" ", ["Pages pp. 3 to 5, e.g. this one, cf. that one, i.e. all.", "And so on etc.", "These are few."]),
    (
        " ",
        [
            "1. Introduction to Rome",
        ],
    ),
    (" ", ["Er kam am 3. Oktober 1990, d.h. spät.", "Das war z.B. in Köln, St. Gallen usw.", "Die Stadt ist alt."]),
    (" ", ["¿Qué pasa?", "¡Nada!", "La Sra. López vive aquí."]),
    (" ", ["Il pleut.", "Elle dort... encore.", "Mme. Curie rentre."]),
    (" ", ["Он родился в 1990 г. в Москве.", "Она уехала."]),
    ("", ["東京は日本の首都である。", "人口は約1400万人。", "「行こう。」と言った。"]),
    ("", ["他说：“你好。”", "“再见！”他走了。"]),
    (" ", ["भारत एक देश है।", "दिल्ली राजधानी है।"]),
    (" ", ["ما اسمك؟", "اسمي علي."]),
    (" ", ["ኢትዮጵያ አገር ናት።", "አዲስ አበባ ዋና ከተማ ናት።"]),
    (" ", ["กรุงเทพเป็นเมืองหลวง", "มีประชากรมาก"]),
    (" ", ["He got a Ph.D. in physics.", "It took 5 years.", "25 came."]),
    (" ", ["Wait… what?", "Really?!", "Yes."]),
    (" ", ["It costs $3.50.", "That is much."]),
    ("\n\n", ["A heading without a stop", "The next paragraph."]),
    (" ", ["Visit example.com.", "It is free."]),
    (" ", ["one. two. three."]),
]


@pytest.mark.parametrize(("between", "parts"), CASES)
def test_where_sentences_end(between: str, parts: list[str]) -> None:
    text = between.join(parts)
    assert [text[start:end] for start, end in sentences(text)] == parts


@given(st.text(alphabet=st.sampled_from("aA.!?。「」 \n\"'3Drกข।"), max_size=40))
def test_every_letter_is_in_one_sentence_and_none_begins_or_ends_blank(text: str) -> None:
    found = sentences(text)
    assert "".join("".join(text[start:end].split()) for start, end in found) == "".join(text.split())
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in found)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(found))
