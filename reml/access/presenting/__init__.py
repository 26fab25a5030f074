"""Presenting: what happens to the items between the search and the predictor.

budget          How deep a ranker reads within a budget: what each depth costs and what it is worth, of one scoring
compress        Compression: of all that was found for a query, what it needs within a budget of words
cutting         Sentences of items, and items of which only some sentences are left, with their place in the page
distinct_texts  Near-duplicates: of items that say the same in the same words only the best is handed over
max_passage     The best passage of a page stands for the page: MaxP
order           The order in which what is handed over is read
processors      Response processors: what happens to the items of a query between the search and the cut
rankers         Processors whose scorer is a ranker of the experiment, by its name
rerank          Reranking: what a search found, put in the order of a scorer that is too slow to search with
rewriting       Items that a language model writes anew: so that each stands alone, or in another language
scoring         Scores of what is shown: by a scorer, or of sentences by the words that they share with the query
snippet         Snippets: of each item only those sentences that say most of what is asked
truncate        Truncation: a list is cut where its scores say that the rest is of no use
"""

from reml.access.presenting.compress import Compress
from reml.access.presenting.distinct_texts import DistinctTexts
from reml.access.presenting.max_passage import MaxPassage
from reml.access.presenting.processors import DistinctPages, First
from reml.access.presenting.rerank import Rerank
from reml.access.presenting.rewriting import Decontextualise, Translate
from reml.access.presenting.snippet import Snippet
from reml.access.presenting.truncate import Truncate, learn_truncation

__all__ = [
    "Compress",
    "Decontextualise",
    "DistinctPages",
    "DistinctTexts",
    "First",
    "MaxPassage",
    "Rerank",
    "Snippet",
    "Translate",
    "Truncate",
    "learn_truncation",
]
