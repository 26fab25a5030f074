"""TREC's run and relevance files at page level, for trec_eval, ir-measures and their like.

A run line is `question Q0 page rank score tag`, a relevance line `question 0 page 1`.

beir            BEIR's judgements
fields          The fields of a line, and numbers in them
ids             Ids as they stand in a line: one reversible rule
named_measures  Measures by the names of ir-measures, their settings checked before any program is called
page_measures   Measures of the pages that an access model finds, whatever a predictor makes of them
relevance       Judgements, written and read
runs            Rankings, written without ties and read in one order
scores          Scores that no reader can take for equal
"""

from reml.evaluation.trec.relevance import RelevanceError, read_relevance, write_relevance
from reml.evaluation.trec.runs import RankedPage, ReadRun, RunError, open_run, rank_pages, read_run, write_run

__all__ = [
    "RankedPage",
    "ReadRun",
    "RelevanceError",
    "RunError",
    "open_run",
    "rank_pages",
    "read_relevance",
    "read_run",
    "write_relevance",
    "write_run",
]
