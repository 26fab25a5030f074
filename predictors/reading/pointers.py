"""Source pointers: an output says which of the items that were read its text comes from.

    input     question: ... index: i title: ... context: ...
    output    index: i,j text: ...

Hofstaetter, Chen, Raman and Zamani, "FiD-Light: Efficient and Effective Retrieval-Augmented Text Generation", SIGIR
2023, https://arxiv.org/abs/2209.14290. Numbers count places of the list from 1, in the order of retrieval.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from reml.collection.evidence import holds
from reml.contract.examples import Example, Item

_POINTERS = re.compile(r"\s*index\s*:(.*?)text\s*:\s*", re.IGNORECASE | re.DOTALL)


def index_of(place: int) -> str:
    """Say in an input which place of the list its item has, counted from 0."""
    return f" index: {place + 1}"


def evidence_places(example: Example, items: Mapping[int, Item]) -> tuple[int, ...]:
    """Give the places of the items that overlap what a right answer comes from, ascending: what is to be pointed to.

    The pages are compared, and the spans where both have one.
    """
    gold = [place for answer in example.output for place in answer.provenance]
    return tuple(at for at, item in sorted(items.items()) if any(holds(item, place) for place in gold))


def pointing(places: Sequence[int]) -> str:
    """Write what stands before the text of an output; nothing is pointed to by `index: text:`."""
    return " ".join(part for part in ("index:", ",".join(str(place + 1) for place in places), "text:") if part)


def parsed(output: str, places: Collection[int]) -> tuple[tuple[int, ...], str]:
    """Take an output apart: the places pointed to, in this order, each once, and the text.

    An output that does not begin with `index:`, or has no `text:` after it, is text alone. Between the two, numbers of
    `places` count, as they are written without zeros before them; all else there is passed over.
    """
    found = _POINTERS.match(output)
    if found is None:
        return (), output.strip()
    numbers = {str(place + 1): place for place in places}
    pointed = dict.fromkeys(numbers[word] for word in re.findall(r"[0-9]+", found[1]) if word in numbers)
    return tuple(pointed), output[found.end() :].strip()


def is_pointing(output: str) -> bool:
    """Tell whether what was said so far is all that stands before a text."""
    return _POINTERS.fullmatch(output) is not None
