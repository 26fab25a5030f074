"""Claims of FEVER whose evidence is on pages that are all here: what is asked for is the page that settles the claim.

The package that carries the claims has no labels, so this task says nothing of SUPPORTS and REFUTES. Each page with
evidence is a right answer by its title. A claim that is written twice is taken once, and at most 6 are taken of a page,
of which FEVER often has dozens.
"""

from __future__ import annotations

from collections.abc import Iterator

from reml.contract.examples import Answer, Example
from reml.tasks.by_digest import Split, in_order
from reml.tasks.vital.carried import Claim, claims
from reml.tasks.vital.leads import leads
from reml.tasks.vital.splits import common_split

_EACH = 6


def settled_claims(split: Split) -> Iterator[Example]:
    """Yield the claims whose pages are all of this split."""
    by_text = {claim.text: claim for claim in claims() if all(title in leads() for title in claim.titles)}
    by_id = {claim.id: claim for claim in by_text.values() if common_split(claim.titles) == split}
    taken: dict[str, int] = {}
    for claim in (by_id[one] for one in in_order(by_id)):
        if max(taken.get(title, 0) for title in claim.titles) < _EACH:
            taken |= {title: taken.get(title, 0) + 1 for title in claim.titles}
            yield _example(claim)


def _example(claim: Claim) -> Example:
    return Example(claim.id, claim.text, tuple(Answer(title, (leads()[title].whole,)) for title in claim.titles))
