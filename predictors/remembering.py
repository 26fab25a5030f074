"""A predictor that keeps a note of what it answered, so that later examples find it.

The setting of Madaan et al., "Memory-assisted prompt editing to improve GPT-3 after deployment", EMNLP 2022,
https://arxiv.org/abs/2201.06009: a memory grows while a system is in use, and is searched with the next question.

Implemented: around any predictor, which reads the notes among what it retrieves. Notes are of its own answers, or
(`right`) of the right ones, as where someone says after each answer what it should have been.

Deviations: the paper's memory holds feedback in the users' words and its reader is a prompted language model.

Numbers: see benchmarks/configs/memory.yaml; the paper's tasks are not run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reml.contract.access import Entries
from reml.contract.arguments.checked import checked
from reml.contract.asking import answers_of
from reml.contract.examples import Answer, Example
from reml.contract.predictor_module import MemoryName, PredictorMaker
from reml.contract.predictors import Batch
from reml.predictors.around import Around


@checked()
class Remembering(Around):
    """Writes a note of each example to the session of an access model, after all of a batch are answered.

    predictor: makes the one that answers. memory: the name of the access model that stores; an experiment refuses a
    name that is none. With others, which do not store, nothing is written. note: holds `{question}` and `{answer}`.
    right: notes hold the first right answer, which it is told after the prediction, instead of the one given. No note
    is made without an answer, and none while it learns.
    """

    def __init__(
        self,
        predictor: PredictorMaker,
        memory: MemoryName,
        *,
        note: str = "{question} {answer}",
        right: bool = False,
    ) -> None:
        if "{answer}" not in note:
            raise ValueError(f"a note must hold {{answer}}, and may hold {{question}}; it is {note!r}.")
        super().__init__(predictor)
        self.memory, self.note, self.right = memory, note, right

    def generate(self, batch: Batch) -> list[Answer]:
        """Answer, then write what was answered."""
        answers = answers_of(self.predictor, batch)
        if not self.right:
            self._write(batch, [answer.text or "" for answer in answers])
        return answers

    def see_right_answers(self, batch: Batch) -> None:
        """Write what is right, if that is to be remembered."""
        if self.right:
            self._write(batch, [next(iter(example.answers), "") for example in batch.examples])

    def _write(self, batch: Batch, said: Sequence[str]) -> None:
        session = batch.sessions.get(self.memory)
        notes = [self._note(*pair) for pair in zip(batch.examples, said, strict=True)]
        owners = [owner for owner, note in enumerate(notes) if note]
        if session is not None and owners:
            session.write(Entries(np.array(owners, dtype=np.int64), tuple(notes[owner] for owner in owners)))

    def _note(self, example: Example, said: str) -> str:
        """Give the note of an example, empty where there is no answer."""
        return self.note.format(question=example.input, answer=said) if said.strip() else ""
