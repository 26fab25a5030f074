"""The loop of an agent: write, ask for what was searched, read, until it answers. All examples advance together.

A turn is one call of the policy for all that go on, and one ask of each access model for all that search. What ends
it: an answer; the budget of turns, of own tokens or of asks, after which `<answer>` is written for the agent and what
it says then is the answer; a context that nothing can be left out of any more. A query that was asked before is
answered by a note, not asked again, and costs a turn, so that who asks the same for ever is stopped by the budget.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.joining import joined
from reml.contract.predictors import Batch
from reml.contract.retrieved import Queries, Responses
from reml.devices.remarks import remark
from reml.predictors.agents.policies import Policy, Spoken
from reml.predictors.agents.tags import ANSWER, STOPS, information, last_step_of, opening, step_of, told
from reml.predictors.agents.transcript import FULL, Rollout
from reml.predictors.reading.pairs import readable

_LOG = logging.getLogger(__name__)
REPEATED = "repeated query"
NOTHING_LEFT = "searched with no ask left"
MADE_TO_ANSWER = "made to answer"
AGAIN = told(
    "This was neither a search nor an answer. Put a query between <search> and </search>, or the answer between "
    "<answer> and </answer>."
)
ASKED_BEFORE = told("This was searched before, and what was found stands above. Search for something else, or answer.")
NO_MORE = told("No search is left. Answer now.")
NO_ROOM = (
    "A prompt of %d, in what budget.context counts, is longer than the %s there is room for: who is asked so answers "
    "nothing. Raise budget.context, shorten the prompt, or name a model that reads more."
)


@checked("budget")
@dataclass(frozen=True)
class Budget:
    """What an agent may spend on an example; how often each access model may be asked is its own `budget.asks`.

    turns: texts that it writes, the last one is its answer. turn_tokens: of one text. tokens: of own text in all,
    looked at after each turn, words where a model does not count them. context: of all that stands before a text, in
    tokens of a model here or characters of any other; what the model takes, or without bound, if left out.
    """

    turns: Count = 4
    turn_tokens: Count = 128
    tokens: Count | None = None
    context: Count | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Ask:
    """One ask of all that searched in a turn. rollouts: of its Q queries. turn: of each. found: by access model."""

    rollouts: tuple[Rollout, ...]
    turns: tuple[int, ...]
    found: Mapping[str, Responses]


@dataclass(frozen=True, eq=False, slots=True)
class Loop:
    """How agents are run. prompt: holds `{question}`. k: items of a search, as many as each access model gives if none.

    room: what may stand before a text (`Budget.context`).
    """

    policy: Policy
    prompt: str
    budget: Budget
    room: int | None
    k: int | None

    def run(self, batch: Batch, copies: int = 1) -> tuple[list[Rollout], list[Ask]]:
        """Run `copies` agents for each example, those of one side by side, to their answers; give what they asked too.

        Without sessions every search finds nothing.
        """
        rollouts = [
            Rollout(owner, [self.policy.given(self.prompt.replace("{question}", example.input))])
            for owner, example in enumerate(batch.examples)
            for _ in range(copies)
        ]
        asks: list[Ask] = []
        for turn in range(self.budget.turns):
            for one in rollouts:
                one.must_answer = one.must_answer or turn == self.budget.turns - 1 or self._spent(one)
            going = [one for one in rollouts if one.answer is None and self._ready(one)]
            if not going:
                break
            transcripts = [one.segments for one in going]
            said = self.policy.go_on(transcripts, STOPS, self.budget.turn_tokens)
            heard = {one: self._heard(one, spoken) for one, spoken in zip(going, said, strict=True)}
            asks += self._asked(batch, {one: query for one, query in heard.items() if query is not None})
        if cramped := [sum(part.size for part in one.segments) for one in rollouts if not one.said]:
            remark(_LOG, NO_ROOM, max(cramped), self.room)
        return rollouts, asks

    def _spent(self, one: Rollout) -> bool:
        return self.budget.tokens is not None and one.wrote >= self.budget.tokens

    def _ready(self, one: Rollout) -> bool:
        """Make room for the next text; who has none is through, without an answer."""
        if one.must_answer:
            one.note(MADE_TO_ANSWER)
            one.segments.append(self.policy.given(opening(ANSWER)))
        if not one.fit(self.room, self.policy.given):
            one.note(FULL)
            one.answer = ""
        return one.answer is None

    def _heard(self, one: Rollout, spoken: Spoken) -> str | None:
        """Take in what an agent wrote; give the query that is to be asked, if there is one."""
        written, segment = spoken
        one.segments.append(segment)
        one.said.append(segment.text)
        one.read += written.read
        one.wrote += written.wrote or len(written.text.split())
        step = last_step_of(written) if one.must_answer else step_of(written)
        one.note(*step.notes)
        if step.answer is not None or one.must_answer:
            one.answer = step.answer or ""
        elif step.query is None:
            one.segments.append(self.policy.given(AGAIN))
        elif step.query.casefold() in map(str.casefold, one.queries):
            one.note(REPEATED)
            one.segments.append(self.policy.given(ASKED_BEFORE))
        else:
            return step.query
        return None

    def _asked(self, batch: Batch, asking: Mapping[Rollout, str]) -> list[Ask]:
        """Ask every access model once for all; who may not ask any more is told so, and has to answer."""
        left = [session.left > 0 for session in batch.sessions.values()]
        may = np.any(left, axis=0) if left else np.zeros(len(batch.examples), dtype=np.bool_)
        able = [one for one in asking if may[one.owner]]
        for one in asking:
            if not may[one.owner]:
                one.note(NOTHING_LEFT)
                one.must_answer = True
                one.segments.append(self.policy.given(NO_MORE))
        if not able:
            return []
        owners = np.array([one.owner for one in able], dtype=np.int64)
        queries = Queries(owners, tuple(asking[one] for one in able))
        found = {name: session.ask(queries, self.k) for name, session in batch.sessions.items()}
        for one, items in zip(able, readable(joined(found, len(able))), strict=True):
            shown = tuple(items.values())
            one.queries.append(asking[one])
            one.shown.append((len(one.said) - 1, shown))
            one.segments.append(replace(self.policy.given(information(shown)), items=shown))
        return [Ask(tuple(able), tuple(len(one.said) - 1 for one in able), found)]
