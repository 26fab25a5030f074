"""Prefixes of answers over the cache of a model of transformers."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor

from reml.text.models.transformers_types import Cache

# (rows [R], tokens [R], the cache of these rows, how many tokens there are with these) -> log p of the next, its cache
Step = Callable[[Tensor, Tensor, Cache, int], tuple[Tensor, Cache]]


@final
@dataclass(frozen=True, eq=False, slots=True)
class CachedPrefixes:
    """R beginnings of answers. pairs: which pair each is after, int64 [R]. length: of all, in tokens.

    step: lets the model read one more token of each.
    """

    log_next: Tensor
    pairs: Tensor
    cache: Cache
    step: Step
    length: int = 0

    def after(self, rows: Tensor, tokens: Tensor) -> CachedPrefixes:
        """Give those at rows, each with one more token; these here stay as they are."""
        pairs, length = self.pairs[rows], self.length + 1
        log_next, cache = self.step(pairs, tokens, selected(self.cache, rows), length)
        return CachedPrefixes(log_next, pairs, cache, self.step, length)


def selected(cache: Cache, rows: Tensor) -> Cache:
    """Give the rows of a cache as one of its own: transformers changes in place what it is given."""
    from transformers import EncoderDecoderCache

    chosen: Any = copy(cache)
    if isinstance(cache, EncoderDecoderCache):
        chosen.self_attention_cache = selected(cache.self_attention_cache, rows)
        chosen.cross_attention_cache = selected(cache.cross_attention_cache, rows)
        return chosen  # type: ignore[no-any-return]
    chosen.layers = [copy(layer) for layer in cache.layers]
    chosen.batch_select_indices(rows)
    return chosen  # type: ignore[no-any-return]
