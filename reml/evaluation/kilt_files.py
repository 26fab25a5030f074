"""KILT files of right answers and predictions, scored as a stream, with everything that is wrong reported at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from reml.collection.known_pages import absent_pages
from reml.contract.arguments.paths import takes_paths
from reml.evaluation.judgement_lines import gold_of, guess_of
from reml.evaluation.judgements import Gold, Guess
from reml.evaluation.kilt import DEPTHS, Evaluation, Scorer
from reml.evaluation.problems import InvalidFilesError, Problems
from reml.files.atomic import CorruptError
from reml.files.lines import line_text, numbered_lines
from reml.files.records import RecordError

__all__ = ["InvalidFilesError", "evaluate_files"]

_Judgement = TypeVar("_Judgement", Gold, Guess)


@takes_paths
def evaluate_files(gold: Path, guess: Path, depths: Sequence[int] = DEPTHS, *, pages: Path | None = None) -> Evaluation:
    """Score the KILT records of `guess` against those of `gold`; either file may be gzip, by its bytes.

    Predictions may come in any order; those for ids that `gold` does not have are counted, not scored. Right answers
    are held in memory, predictions are not. `InvalidFilesError` lists whatever is wrong with either file: unreadable
    lines, ids that come twice or are missing, several outputs, no answer; and, where `pages` names a knowledge source
    (see `reml.collection.known_pages`), provenance that is not in it.
    """
    problems = Problems()
    _check_paths((gold, guess), problems)
    golds = _read_golds(gold, problems)
    positions = {right.id: position for position, right in enumerate(golds)}
    scorer = Scorer(golds, depths)
    seen: set[str] = set()
    named: dict[str, str] = {}  # each page that is given, with the first id it is given for
    for line, prediction in _records(guess, guess_of, problems):
        if prediction.id in seen:
            problems.add(f"{guess}, line {line}: a second prediction for id {prediction.id!r}")
        elif prediction.id in positions and not problems.count:
            scorer.add(positions[prediction.id], prediction)
        seen.add(prediction.id)
        for page in prediction.pages if pages is not None else ():
            named.setdefault(page, prediction.id)
    if problems.count and _exchanged(gold, guess):
        raise InvalidFilesError([f"{gold} holds predictions and {guess} right answers: exchange gold and guess"], 1)
    for missing in (right.id for right in golds if right.id not in seen):
        problems.add(f"{guess}: no prediction for id {missing!r}")
    if pages is not None:
        _check_pages(named, guess, pages, problems)
    problems.raise_any()
    return scorer.result(unmatched=len(seen) - len(golds))


def _check_paths(paths: Sequence[Path], problems: Problems) -> None:
    """Raise `InvalidFilesError` before anything is read if there is nothing to read."""
    for path in paths:
        if path.is_dir():
            problems.add(f"{path} is a folder: name a file of KILT records, such as {path / 'predictions.jsonl'}")
        elif not path.exists():
            problems.add(f"{path} does not exist: name a file of KILT records, .jsonl or .jsonl.gz")
    problems.raise_any()


def _exchanged(gold: Path, guess: Path) -> bool:
    """Tell whether nothing would be wrong if each file were read as the other one."""
    problems = Problems()
    ids = [prediction.id for _, prediction in _records(gold, guess_of, problems)]
    if not problems.count:
        _read_golds(guess, problems)
    return not problems.count and len(set(ids)) == len(ids)


def _check_pages(named: Mapping[str, str], guess: Path, pages: Path, problems: Problems) -> None:
    try:
        absent = sorted(absent_pages(named, pages))
    except (OSError, RuntimeError, ValueError) as error:
        problems.add(f"{pages}: its pages cannot be read ({error})")
        return
    for page in absent:
        problems.add(f"{guess}: page {page!r}, given for id {named[page]!r}, is not in {pages}")


def _read_golds(path: Path, problems: Problems) -> list[Gold]:
    golds: dict[str, Gold] = {}
    for line, right in _records(path, gold_of, problems):
        if right.id in golds:
            problems.add(f"{path}, line {line}: id {right.id!r} comes a second time")
        elif not right.answers:
            problems.add(f"{path}, line {line}: no right answer for id {right.id!r}, so nothing to compare with")
        golds.setdefault(right.id, right)
    return list(golds.values())


def _records(path: Path, parse: Callable[[str], _Judgement], problems: Problems) -> Iterator[tuple[int, _Judgement]]:
    for number, line in _lines(path, problems):
        try:
            yield number, parse(line_text(line))
        except RecordError as error:
            problems.add(f"{path}, line {number}: {error}")
        except (ValueError, RecursionError) as error:
            problems.add(f"{path}, line {number}: not JSON in UTF-8 ({error})")


def _lines(path: Path, problems: Problems) -> Iterator[tuple[int, bytes]]:
    try:
        yield from numbered_lines(path)
    except CorruptError as error:
        problems.add(str(error))
    except OSError as error:
        problems.add(f"{path}: cannot be read ({error.strerror})")
