"""What an impact index holds at one instant: a value that is replaced whole, so that searches run beside changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reml.contract.vectors import Int64Array, SparseVectors
from reml.index.postings import Flags
from reml.index.segment import Segment

NONE = np.empty(0, dtype=np.bool_)


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """A segment by its name, which of its rows are alive, bool [n], and whether all are.

    (Whether all are is kept, as looking takes longer than a short query.)
    """

    name: str
    segment: Segment
    alive: Flags
    whole: bool

    @classmethod
    def of(cls, name: str, segment: Segment, alive: Flags | None = None) -> Part:
        """Make one all of whose rows are alive unless it is said which."""
        flags = np.ones(len(segment), dtype=np.bool_) if alive is None else alive
        return cls(name, segment, flags, bool(flags.all()))


@dataclass(frozen=True, eq=False, slots=True)
class Held:
    """Segments, and the rows and vectors that were added since and are not in one yet."""

    parts: tuple[Part, ...] = ()
    gathered: tuple[tuple[Int64Array, SparseVectors], ...] = ()

    def __len__(self) -> int:
        return sum(int(part.alive.sum()) for part in self.parts) + sum(len(rows) for rows, _ in self.gathered)

    @property
    def postings(self) -> int:
        """How many postings of those gathered will be made."""
        return sum(len(vectors.dimensions) for _, vectors in self.gathered)

    @property
    def segments(self) -> Sequence[Segment]:
        """The segments alone."""
        return [part.segment for part in self.parts]

    def and_vectors(self, rows: Int64Array, vectors: SparseVectors) -> Held:
        """Give this and what was added."""
        return replace(self, gathered=(*self.gathered, (rows, vectors)))

    def without(self, rows: Int64Array) -> Held:
        """Give this without some rows, of segments."""
        return Held(
            tuple(Part.of(one.name, one.segment, one.alive & ~np.isin(one.segment.rows, rows)) for one in self.parts)
        )

    def has(self, rows: Int64Array) -> Flags:
        """Say which of these rows are held."""
        held = np.zeros(len(rows), dtype=np.bool_)
        for some in [*(part.segment.rows[part.alive] for part in self.parts), *(rows for rows, _ in self.gathered)]:
            # Rows mostly arrive in order, so that most segments end before these begin.
            if some.max(initial=-1) >= rows.min(initial=0):
                held |= np.isin(rows, some)
        return held

    def allowed(self, rows: Int64Array | None) -> list[tuple[Segment, Flags]]:
        """Say which rows of each segment may be found, those given or any, the largest first: NONE where all may."""
        if rows is not None:
            found = [(part.segment, part.alive & np.isin(part.segment.rows, rows)) for part in self.parts]
        else:
            found = [(part.segment, NONE if part.whole else part.alive) for part in self.parts]
        return sorted(found, key=lambda held: -len(held[0]))
