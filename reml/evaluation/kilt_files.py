"""KILT files of right answers and predictions, scored as a stream, with everything that is wrong reported at once."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from reml.evaluation.judgements import Gold, Guess
from reml.evaluation.kilt import DEPTHS, Evaluation, Scorer
from reml.records import RecordError
from reml.types import Json

_SHOWN = 20

_Judgement = TypeVar("_Judgement", Gold, Guess)


class InvalidFilesError(ValueError):
    """Files cannot be evaluated; the message lists the first problems and says how many there are."""

    def __init__(self, problems: Sequence[str], count: int) -> None:
        more = f"\n  ... and {count - len(problems)} more" if count > len(problems) else ""
        noun = "problem" if count == 1 else "problems"
        super().__init__(f"{count} {noun} with the files:\n  " + "\n  ".join(problems) + more)
        self.count = count


class _Problems:
    """Counts problems and keeps the first ones: a file with a million of them fills no memory."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.count = 0

    def add(self, problem: str) -> None:
        self.count += 1
        if len(self.first) < _SHOWN:
            self.first.append(problem)

    def raise_any(self) -> None:
        if self.count:
            raise InvalidFilesError(self.first, self.count)


def evaluate_files(gold: Path, guess: Path, depths: Sequence[int] = DEPTHS) -> Evaluation:
    """Score the KILT records of `guess` against those of `gold`; either file may end in .gz.

    Predictions may come in any order; those for ids that `gold` does not have are counted, not scored. Right answers
    are held in memory, predictions are not. `InvalidFilesError` lists whatever is wrong with either file: unreadable
    lines, ids that come twice or are missing, several outputs, no answer.
    """
    problems = _Problems()
    golds = _read_golds(gold, problems)
    positions = {right.id: position for position, right in enumerate(golds)}
    scorer = Scorer(golds, depths)
    seen: set[str] = set()
    for line, prediction in _records(guess, Guess.parse, problems):
        if prediction.id in seen:
            problems.add(f"{guess}, line {line}: a second prediction for id {prediction.id!r}")
        elif prediction.id in positions and not problems.count:
            scorer.add(positions[prediction.id], prediction)
        seen.add(prediction.id)
    for missing in (right.id for right in golds if right.id not in seen):
        problems.add(f"{guess}: no prediction for id {missing!r}")
    problems.raise_any()
    return scorer.result(unmatched=len(seen) - len(golds))


def _read_golds(path: Path, problems: _Problems) -> list[Gold]:
    golds: dict[str, Gold] = {}
    for line, right in _records(path, Gold.parse, problems):
        if right.id in golds:
            problems.add(f"{path}, line {line}: id {right.id!r} comes a second time")
        elif not right.answers:
            problems.add(f"{path}, line {line}: no right answer for id {right.id!r}, so nothing to compare with")
        golds.setdefault(right.id, right)
    return list(golds.values())


def _records(path: Path, parse: Callable[[Json], _Judgement], problems: _Problems) -> Iterator[tuple[int, _Judgement]]:
    for number, line in _lines(path, problems):
        try:
            yield number, parse(json.loads(line))
        except RecordError as error:
            problems.add(f"{path}, line {number}: {error}")
        except (ValueError, RecursionError) as error:
            problems.add(f"{path}, line {number}: not JSON in UTF-8 ({error})")


def _lines(path: Path, problems: _Problems) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                if not line.isspace():
                    yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        problems.add(f"{path}: the gzip data end or break after line {number} ({error}); fetch the file anew")
    except OSError as error:
        problems.add(f"{path}: cannot be read ({error.strerror})")
