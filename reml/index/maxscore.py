"""Kernels that find the best rows of a segment exactly while touching few of its postings.

MaxScore (Turtle and Flood, "Query evaluation: strategies and optimizations", 1995) over windows of rows. The score that
a row must reach to be among the k best is known from below: at first from the k-th largest impact of each dimension,
then from the rows found so far. Frequent dimensions of small effect, which even together cannot lift a row to that
score, are inessential: only the postings of the others are added up, in accumulators for one window. What the
inessential ones can add at most is known for each cell of rows (as the block maxima of Ding and Suel, "Faster top-k
document retrieval using block-max indexes", SIGIR 2011), so few rows are left for which they are looked up one by one.

Deviations: bounds are of fixed cells of rows, in 8 bits, summed for a whole window at once; there is no
document-at-a-time merging of postings, which mispredicted branches make slow. For the same reason what may or may not
be kept is always written, and only the count depends on it; and inner loops run over slices from 0, as numba then need
not look for negative indices.

Arrays come from files, of which nobody may have looked at every byte. So no number in them is followed out of an array:
a position counts by its place in a window (`INSIDE`), and starts, ends, slots and rows are cut to what there is. What
is damaged then has wrong hits and never ends the process.

Scores are sums in float64 of exact products, rounded to float32 once. A candidate is one 64-bit key, the bits of its
score above, the complement of its position below: the k best are the k largest keys, ties by position.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reml.contract.vectors import Float32Array, Int32Array, Int64Array
from reml.index.compiling import kernel, part
from reml.index.postings import BLOCK, BLOCKS, CELL, CELLS, RANKS, WINDOW, Bounds, Flags, Postings, Terms
from reml.index.sorting import offer, order_of, sort_heap

Keys = npt.NDArray[np.uint64]
Float64Array = npt.NDArray[np.float64]

# Above this many postings in a window, its accumulators are read in order instead of posting by posting.
MANY = 6000
# Reading this many postings in order takes as long as looking one up.
LOOKUP = 100
# The bits of a position that say where in a window it is.
INSIDE = np.uint32(WINDOW - 1)
# The least positive float32: what a row must reach when every row that has a score may enter.
ANY = np.float32(1e-45)


class Query(NamedTuple):
    """One query of T terms while it is answered.

    dimensions, weights: [T]. tops: float64 [T], the most a term can add, infinite where it must not be inessential.
    order: [T], from the smallest top. slots: [T]. first, last: int64 [T], the postings of the present window. ends:
    int64 [T], the end of all postings. essential: bool [T].
    """

    dimensions: Int32Array
    weights: Float32Array
    tops: Float64Array
    order: Int64Array
    slots: Int32Array
    first: Int64Array
    last: Int64Array
    ends: Int64Array
    essential: Flags


class Scratch(NamedTuple):
    """Memory that is used again for each window.

    sums: float64 [WINDOW], 0 between windows. rest: float32 [CELLS], what inessential terms can add. cuts: float32
    [CELLS], what essential ones must reach. Of each candidate, [WINDOW + 1]: rows, its row in the window; found, its
    sum so far; reach, the most it can become; gains, its impact for the term at hand; the last place takes what is
    written and not kept. numbers: int32 [WINDOW], the candidate that a row is, or WINDOW.
    """

    sums: Float64Array
    rest: Float32Array
    cuts: Float32Array
    rows: Int32Array
    found: Float64Array
    reach: Float64Array
    gains: Float32Array
    numbers: Int32Array


def new_scratch() -> Scratch:
    """Make memory for one thread; the kernels leave it as they found it, so that it serves any number of queries."""
    return Scratch(
        np.zeros(WINDOW, dtype=np.float64),
        np.empty(CELLS, dtype=np.float32),
        np.empty(CELLS, dtype=np.float32),
        np.empty(WINDOW + 1, dtype=np.int32),
        np.empty(WINDOW + 1, dtype=np.float64),
        np.empty(WINDOW + 1, dtype=np.float64),
        np.empty(WINDOW + 1, dtype=np.float32),
        np.full(WINDOW, WINDOW, dtype=np.int32),
    )


@kernel
def find_best(
    postings: Postings, bounds: Bounds, allowed: Flags, queries: Terms, keys: Keys, scratch: Scratch
) -> None:  # pragma: no cover - compiled
    """Fill `keys` [B, k], which are 0, with the k largest keys of each query, largest first, 0 where there are fewer.

    allowed: bool [rows] or, where every row may be found, empty.
    """
    windows = bounds.windows.shape[1] - 1
    for number in range(len(keys)):
        terms = slice(queries.indptr[number], queries.indptr[number + 1])
        query = _prepare(postings, bounds, queries.dimensions[terms], queries.weights[terms])
        heap = keys[number]
        slack = 1 - 1e-6 * (len(query.weights) + 4)
        least = float(queries.floors[number]) * slack
        if len(allowed) == 0:
            least = max(least, _known_least(bounds, query, len(heap)) * slack)
        for window in range(windows):
            inessential = _split(query, least)
            touched = _locate(postings, bounds, query, window)
            if touched == 0:
                continue
            _bound(bounds, query, window, inessential, least, scratch)
            _add_essential(postings, query, scratch.sums)
            count = _read_all(scratch) if touched > MANY else _read_touched(postings, query, scratch)
            if count > 0:
                count = _complete(postings, bounds, query, window, count, scratch, least)
                _enter(allowed, window, count, scratch, heap)
                least = max(least, float(np.uint32(heap[0] >> np.uint64(32)).view(np.float32)) * slack)
        sort_heap(heap)


@kernel
def unpack(
    keys: Keys, rows: Int64Array, found: Int64Array, scores: Float32Array
) -> None:  # pragma: no cover - compiled
    """Write what keys [B, k] say, rows and scores; -1 and minus infinity for none. rows: the segment's, by position."""
    for number in range(keys.shape[0]):
        for place in range(keys.shape[1]):
            key = keys[number, place]
            position = np.uint64(0xFFFFFFFF) - (key & np.uint64(0xFFFFFFFF))
            if key > 0 and position < np.uint64(len(rows)):
                found[number, place] = rows[position]
                scores[number, place] = np.uint32(key >> np.uint64(32)).view(np.float32)
            else:
                found[number, place], scores[number, place] = -1, -np.inf


@part
def _prepare(
    postings: Postings, bounds: Bounds, dimensions: Int32Array, weights: Float32Array
) -> Query:  # pragma: no cover - compiled
    terms = len(dimensions)
    slots, tops, essential = np.empty(terms, np.int32), np.empty(terms, np.float64), np.empty(terms, np.bool_)
    first, last, ends = np.empty(terms, np.int64), np.empty(terms, np.int64), np.empty(terms, np.int64)
    count, frequent = len(postings.positions), len(bounds.scales)
    for term in range(terms):
        slot, start = bounds.slots[dimensions[term]], max(postings.starts[dimensions[term]], 0)
        slot = slot if slot < frequent else -1
        slots[term], first[term], last[term] = slot, start, start
        ends[term] = min(postings.starts[dimensions[term] + 1], count)
        tops[term] = np.float64(weights[term]) * bounds.scales[slot] * 255 if slot >= 0 else np.inf
    return Query(dimensions, weights, tops, order_of(tops), slots, first, last, ends, essential)


@part
def _known_least(bounds: Bounds, query: Query, k: int) -> float:  # pragma: no cover - compiled
    """Give the best score that at least k rows reach by one dimension alone, as far as it is known."""
    least = 0.0
    for column in range(len(RANKS) - 1, -1, -1):
        if k <= RANKS[column]:
            for term in range(len(query.weights)):
                impact = bounds.ranked[query.dimensions[term], column]
                least = max(least, float(query.weights[term]) * impact)
    return least


@part
def _split(query: Query, least: float) -> int:  # pragma: no cover - compiled
    """Mark the essential terms; give the number of the others, which come first in `order`."""
    query.essential[:] = True
    total = 0.0
    for place in range(len(query.order)):
        total += query.tops[query.order[place]]
        # Written so that NaN, which damaged bounds may hold, leaves all terms essential.
        if not total < least:
            return place
        query.essential[query.order[place]] = False
    return len(query.order)


@part
def _bound(
    bounds: Bounds, query: Query, window: int, inessential: int, least: float, scratch: Scratch
) -> None:  # pragma: no cover - compiled
    """Add up what inessential terms can give the rows of each cell, and what is left for essential ones to reach."""
    scratch.rest[:] = 0
    for place in range(inessential):
        slot = query.slots[query.order[place]]
        scale = query.weights[query.order[place]] * bounds.scales[slot]
        maxima = bounds.maxima[slot, window * CELLS : (window + 1) * CELLS]
        for cell in range(CELLS):
            scratch.rest[cell] += scale * np.float32(maxima[cell])
    lowest = np.float32(least)
    for cell in range(CELLS):
        scratch.cuts[cell] = max(lowest - scratch.rest[cell], ANY)


@part
def _locate(postings: Postings, bounds: Bounds, query: Query, window: int) -> int:  # pragma: no cover - compiled
    """Find the postings of the window; give the number of those of essential terms."""
    # Arrays are taken out of their tuples before the loop: numba counts references each time it does so.
    slots, first, last, essential = query.slots, query.first, query.last, query.essential
    windows, positions, ends, touched = bounds.windows, postings.positions, query.ends, 0
    for term in range(len(slots)):
        slot = slots[term]
        if slot >= 0:
            first[term], last[term] = windows[slot, window], windows[slot, window + 1]
        else:
            first[term] = last[term]
            last[term] = _first_from(positions, last[term], ends[term], (window + 1) * WINDOW)
        if essential[term]:
            touched += last[term] - first[term]
    return touched


@part
def _first_from(positions: Int32Array, start: int, stop: int, position: int) -> int:  # pragma: no cover - compiled
    """Find the first of the postings from start to stop whose row is `position` or after it, or stop."""
    place = np.uint64(start)
    stop = max(start, stop)
    while place < np.uint64(stop) and positions[place] < position:
        place += np.uint64(1)
    return int(np.int64(place))


@part
def _add_essential(postings: Postings, query: Query, sums: Float64Array) -> None:  # pragma: no cover
    """Add up the postings of essential terms in the window."""
    for term in range(len(query.weights)):
        if query.essential[term]:
            inside = slice(query.first[term], query.last[term])
            positions, impacts = postings.positions[inside], postings.impacts[inside]
            weight = np.float64(query.weights[term])
            for place in range(len(positions)):
                sums[np.uint32(positions[place]) & INSIDE] += weight * impacts[place]


@part
def _read_touched(postings: Postings, query: Query, scratch: Scratch) -> int:  # pragma: no cover
    """Take the sums of the rows that essential terms have touched; keep, and count, those that reach their cut."""
    sums, cuts, rows, found, count = scratch.sums, scratch.cuts, scratch.rows, scratch.found, np.uint64(0)
    for term in range(len(query.weights)):
        if query.essential[term]:
            positions = postings.positions[query.first[term] : query.last[term]]
            for place in range(len(positions)):
                row = np.uint32(positions[place]) & INSIDE
                # A row touched by several terms is 0 when it is met again, and no cut is 0. Whether a row is kept is
                # hard to foresee: writing each one costs less than branches do.
                rows[count], found[count] = row, sums[row]
                count += np.uint64(sums[row] >= cuts[row // np.uint32(CELL)])
                sums[row] = 0
    return int(np.int64(count))


@partial(part, fastmath={"nnan", "nsz"})
def _read_all(scratch: Scratch) -> int:  # pragma: no cover - compiled
    """Take the sums of all rows of the window; keep, and count, those that reach their cut.

    There is no NaN, so that the largest of a cell may be found by whole vectors.
    """
    sums, cuts, rows, found, count = scratch.sums, scratch.cuts, scratch.rows, scratch.found, np.uint64(0)
    for cell in range(CELLS):
        largest = 0.0
        for row in range(CELL):
            largest = max(largest, sums[cell * CELL + row])
        if largest >= cuts[cell]:
            for row in range(cell * CELL, (cell + 1) * CELL):
                rows[count], found[count] = row, sums[row]
                count += np.uint64(sums[row] >= cuts[cell])
        for row in range(CELL):
            sums[cell * CELL + row] = 0
    return int(np.int64(count))


@part
def _complete(
    postings: Postings, bounds: Bounds, query: Query, window: int, candidates: int, scratch: Scratch, least: float
) -> int:  # pragma: no cover - compiled
    """Add what one inessential term after the other gives the candidates; drop, after each, those that fall short."""
    for candidate in range(candidates):
        scratch.reach[candidate] = scratch.found[candidate] + scratch.rest[np.uint32(scratch.rows[candidate]) // CELL]
    for place in range(len(query.order) - 1, -1, -1):
        term = query.order[place]
        if not query.essential[term] and candidates > 0:
            inside = slice(query.first[term], query.last[term])
            positions, impacts = postings.positions[inside], postings.impacts[inside]
            slot, weight = query.slots[term], np.float64(query.weights[term])
            if len(positions) > LOOKUP * candidates:
                offsets = bounds.offsets[slot, window * BLOCKS : (window + 1) * BLOCKS]
                _look_up(positions, impacts, offsets, window * WINDOW, candidates, scratch)
            else:
                _read_along(positions, impacts, candidates, scratch)
            maxima = bounds.maxima[slot, window * CELLS : (window + 1) * CELLS]
            candidates = _keep(maxima, weight, weight * bounds.scales[slot], candidates, least, scratch)
    return candidates


@part
def _look_up(
    positions: Int32Array,
    impacts: Float32Array,
    offsets: npt.NDArray[np.uint16],
    base: int,
    candidates: int,
    scratch: Scratch,
) -> None:  # pragma: no cover - compiled
    """Find the impacts of a term for each candidate."""
    for candidate in range(candidates):
        row = np.uint32(scratch.rows[candidate])
        block = row // np.uint32(BLOCK)
        low = np.uint64(offsets[block])
        high = np.uint64(len(positions))
        if block + 1 < BLOCKS:
            high = min(high, np.uint64(offsets[block + 1]))
        scratch.gains[candidate] = 0
        for place in range(low, high):
            if positions[place] - base == row:
                scratch.gains[candidate] = impacts[place]
                break


@part
def _read_along(
    positions: Int32Array, impacts: Float32Array, candidates: int, scratch: Scratch
) -> None:  # pragma: no cover - compiled
    """Find the impacts of a term for all candidates by reading its postings of the window."""
    rows, gains, numbers = scratch.rows, scratch.gains, scratch.numbers
    for candidate in range(candidates):
        gains[candidate] = 0
        numbers[np.uint32(rows[candidate])] = candidate
    for place in range(len(positions)):
        # Rows that are no candidates write behind those that are: no branch.
        gains[np.uint32(numbers[np.uint32(positions[place]) & INSIDE])] = impacts[place]
    for candidate in range(candidates):
        numbers[np.uint32(rows[candidate])] = WINDOW


@part
def _keep(
    maxima: npt.NDArray[np.uint8], weight: float, scale: float, candidates: int, least: float, scratch: Scratch
) -> int:  # pragma: no cover - compiled
    """Put a term's impacts in the place of its bounds; keep, and count, the candidates that may still reach `least`."""
    rows, reach, found, kept = scratch.rows, scratch.reach, scratch.found, np.uint64(0)
    for candidate in range(candidates):
        row, gain = rows[candidate], weight * scratch.gains[candidate]
        bound = reach[candidate] + (gain - scale * maxima[np.uint32(row) // np.uint32(CELL)])
        rows[kept], reach[kept], found[kept] = row, bound, found[candidate] + gain
        kept += np.uint64(bound >= least)
    return int(np.int64(kept))


@part
def _enter(allowed: Flags, window: int, candidates: int, scratch: Scratch, heap: Keys) -> None:  # pragma: no cover
    """Offer the candidates, whose sums are complete, to the heap."""
    for candidate in range(candidates):
        position = window * WINDOW + scratch.rows[candidate]
        bits = np.float32(scratch.found[candidate]).view(np.uint32)
        key = (np.uint64(bits) << np.uint64(32)) | np.uint64(0xFFFFFFFF - position)
        if bits > 0 and key > heap[0] and (len(allowed) == 0 or (position < len(allowed) and allowed[position])):
            offer(heap, key)
