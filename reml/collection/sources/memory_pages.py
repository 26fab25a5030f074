"""Pages in memory as a knowledge source: of a task that makes its own, or of texts that a program has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reml.contract.examples import Page
from reml.files.atomic import digest


@dataclass(frozen=True)
class MemoryPages:
    """The pages of a sequence, in its order."""

    held: Sequence[Page]

    @property
    def fingerprint(self) -> str:
        """A digest of all pages."""
        return digest(*([page.id, page.title, *page.paragraphs] for page in self.held))

    def pages(self) -> Iterator[Page]:
        """Yield every page once."""
        yield from self.held
