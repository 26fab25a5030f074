"""Whatever is wrong with files, collected so that it can be told at once."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 20


class InvalidFilesError(ValueError):
    """Files cannot be used; the message lists the first problems and says how many there are."""

    def __init__(self, problems: Sequence[str], count: int) -> None:
        more = f"\n  ... and {count - len(problems)} more" if count > len(problems) else ""
        noun = "problem" if count == 1 else "problems"
        super().__init__(f"{count} {noun} with the files:\n  " + "\n  ".join(problems) + more)
        self.count = count


class Problems:
    """Counts problems and keeps the first ones: a file with a million of them fills no memory."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.count = 0

    def add(self, problem: str) -> None:
        """Take note of a problem."""
        self.count += 1
        if len(self.first) < _SHOWN:
            self.first.append(problem)

    def raise_any(self) -> None:
        """Raise `InvalidFilesError` if there were problems."""
        if self.count:
            raise InvalidFilesError(self.first, self.count)
