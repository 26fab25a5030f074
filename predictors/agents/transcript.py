"""How one example goes: what it was given and what it wrote, in segments, so that own text is told from other text.

What does not fit any more is shortened from the oldest information on; the question and own text stay as they are. An
agent then goes on from another text than it wrote before, so that what it learns from ends there and begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from reml.contract.examples import Answer, Item, Json, Provenance
from reml.evaluation.answers import normalise
from reml.predictors.agents.tags import TAG, information

SHORTENED = "information shortened"
FULL = "context full"


@dataclass(frozen=True, eq=False, slots=True)
class Segment:
    """A piece of a transcript. own: whether the agent wrote it. ids: its tokens where the policy is a model here.

    items: what it shows; lost: how many it showed once.
    """

    text: str
    own: bool = False
    ids: tuple[int, ...] = ()
    items: tuple[Item, ...] = ()
    lost: int = 0

    @property
    def size(self) -> int:
        """Count its tokens, or its characters where none are known."""
        return len(self.ids) or len(self.text)


@dataclass(eq=False)
class Rollout:
    """One example on its way. owner: its position in the batch.

    segments: all so far. passes: what was written before something was shortened. said: own texts, one a turn. shown:
    the turn after which each list of items came, and the list. queries: those that were asked. answer: none before the
    end.
    """

    owner: int
    segments: list[Segment]
    passes: list[tuple[Segment, ...]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    shown: list[tuple[int, tuple[Item, ...]]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    answer: str | None = None
    must_answer: bool = False
    read: int = 0
    wrote: int = 0

    def note(self, *notes: str) -> None:
        """Keep what was out of the ordinary, each once."""
        self.notes += [note for note in dict.fromkeys(notes) if note not in self.notes]

    def fit(self, room: int | None, given: Callable[[str], Segment]) -> bool:
        """Shorten what is older first until all has room; tell whether it has."""
        if room is None or _size(self.segments) <= room:
            return True
        kept = shortened(self.segments, room, given)
        if any(segment.own for segment in self.segments):
            self.passes.append(tuple(self.segments))
        if kept != self.segments:
            self.note(SHORTENED)
        self.segments = [replace(segment, own=False) for segment in kept]
        return _size(kept) <= room

    @property
    def learnt_from(self) -> list[tuple[Segment, ...]]:
        """The texts in which each own segment stands once, after what the agent had read when it wrote it."""
        last = tuple(self.segments)
        return [*self.passes, last] if any(segment.own for segment in last) or not self.passes else self.passes

    def used(self, after: int, item: Item) -> bool:
        """Tell whether what came after a turn names the title of an item, or the item holds the answer."""
        answer = normalise(self.answer or "")
        title = normalise(item.title)
        later = normalise(TAG.sub(" ", " ".join(self.said[after + 1 :])))
        return bool(title and _holds(later, title)) or bool(answer and _holds(normalise(item.full_text()), answer))

    @property
    def given_answer(self) -> Answer:
        """The answer, its evidence and its cost.

        Items that were used come first (`used`), then the others; of each kind those of the last ask first, in the
        order they were found.
        """
        listed = [(not self.used(turn, item), item) for turn, items in reversed(self.shown) for item in items]
        ordered = [item for _, item in sorted(listed, key=lambda pair: pair[0])]
        meta: dict[str, Json] = {
            "turns": len(self.said),
            "asks": len(self.queries),
            "tokens_read": self.read,
            "tokens_written": self.wrote,
            "notes": list(self.notes),
        }
        return Answer(self.answer or "", tuple(dict.fromkeys(map(Provenance.of, ordered))), meta)


def shortened(segments: Sequence[Segment], room: int, given: Callable[[str], Segment]) -> list[Segment]:
    """Leave out items, of the oldest information the last ones first, until all has room or none is left."""
    kept = list(segments)
    for place in range(len(kept)):
        while kept[place].items and _size(kept) > room:
            items, lost = kept[place].items[:-1], kept[place].lost + 1
            kept[place] = replace(given(information(items, lost)), items=items, lost=lost)
    return kept


def _size(segments: Sequence[Segment]) -> int:
    return sum(segment.size for segment in segments)


def _holds(text: str, part: str) -> bool:
    return f" {part} " in f" {text} "
