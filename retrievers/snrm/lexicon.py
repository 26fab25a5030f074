"""The words that SNRM's network knows, and the rows that stand for all others."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Size
from reml.contract.examples import Json
from reml.text.analysis import Analyser

PADDING = 0


@checked()
@dataclass(frozen=True)
class Lexicon:
    """Numbers words: `PADDING`, then `terms`, then `rare` rows that the words which are not among them share by a hash.

    analyser: makes the words of a text. rare: 0 leaves other words out of texts, as stop words are.
    """

    analyser: Analyser
    terms: Sequence[str]
    rare: Size = 0

    def __len__(self) -> int:
        return 1 + len(self.terms) + self.rare

    @property
    def settings(self) -> dict[str, Json]:
        """What it is made of, as keyword arguments in JSON."""
        return {"analyser": asdict(self.analyser), "terms": [*self.terms], "rare": self.rare}

    def number(self, text: str, limit: int) -> list[int]:
        """Give the numbers of the known words among those of a text, `limit` at most."""
        numbers = [self.number_of(term) for term in self.analyser(text)]
        return [number for number in numbers if number != PADDING][:limit]

    def number_of(self, term: str) -> int:
        """Give the number of a word; `PADDING` if it is left out."""
        known = self._numbers.get(term)
        if known is not None:
            return known
        return self._rare(term) if self.rare else PADDING

    def _rare(self, term: str) -> int:
        return 1 + len(self.terms) + zlib.crc32(term.encode("utf-8", "surrogatepass")) % self.rare

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {term: number for number, term in enumerate(self.terms, start=PADDING + 1)}
