from __future__ import annotations

import io

from rich.console import Console

from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.kilt import evaluate
from reml.experiment.summary import summary
from tests.experiment.settings.test_experiment import Empty


def test_each_task_and_access_model_has_its_row() -> None:
    gold = [Example(str(number), "?", (Answer("ice", (Provenance("p"),)),)) for number in range(4)]
    right, elsewhere, wrong = (
        Answer("ice", (Provenance("p"),)),
        Answer("ice", (Provenance("x"), Provenance("p"))),
        Answer("fire", (Provenance("x"),)),
    )
    evaluations = {
        "bm25": {"one": evaluate(gold, [right, right, elsewhere, wrong])},
        "none": {"one": evaluate(gold, [wrong] * 4)},
    }
    stream = io.StringIO()
    Console(file=stream, width=80).print(summary([Empty("one")], evaluations).terminal())
    cells = [line.split() for line in stream.getvalue().splitlines() if "one" in line]
    assert cells == [
        ["one", "bm25", "4", "0.500", "em", "0.750", "0.500"],
        ["one", "none", "4", "0.000", "em", "0.000", "0.000"],
    ]
