"""Questions of NQ, TriviaQA and WebQuestions whose answer stands in a lead.

Which lead answers which question is kept in `answered/questions.tsv`; `answered/README.md` says how it was found and
read. A question keeps all of its right answers, the one that the lead has first.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from importlib import resources

from reml.contract.examples import Answer, Example
from reml.tasks.by_digest import Split
from reml.tasks.vital import carried
from reml.tasks.vital.leads import leads
from reml.tasks.vital.splits import common_split

DATASETS = ("nq", "triviaqa", "webquestions")


def answered(split: Split) -> Iterator[Example]:
    """Yield the questions whose leads are all of this split; `meta` names the dataset."""
    for dataset in DATASETS:
        for question in carried.questions(dataset, _table()):
            found = _table()[question.id]
            if common_split(answer.provenance[0].wikipedia_id for answer in found) == split:
                others = dict.fromkeys(question.answers)
                for answer in found:
                    others.pop(str(answer.text), None)
                yield Example(question.id, question.text, (*found, *map(Answer, others)), meta={"dataset": dataset})


@functools.cache
def _table() -> Mapping[str, tuple[Answer, ...]]:
    """Give what the leads answer to each question, by its id, with the characters that say so."""
    written = (resources.files("reml.tasks.vital") / "answered/questions.tsv").read_text(encoding="utf-8")
    found: dict[str, tuple[Answer, ...]] = {}
    for line in written.splitlines()[1:]:
        question, title, text, paragraph, start, end = line.split("\t")
        place = leads()[title].evidence(int(paragraph), int(start), int(end))
        found[question] = (*found.get(question, ()), Answer(text, (place,)))
    return found
