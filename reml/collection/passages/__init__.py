"""Pages cut into passages.

cutting  Pages cut into passages: runs of words, or whole sentences or paragraphs
units    What a passage is made of: runs of words, whole sentences or whole paragraphs
words    What counts as a word of a passage, and which paragraphs of a page hold no statement
"""

from reml.collection.passages.cutting import Passage, passage_text, split_page
from reml.collection.passages.units import RUNS, Unit, Units
from reml.collection.passages.words import HEADING, count_words, words_of

__all__ = [
    "HEADING",
    "RUNS",
    "Passage",
    "Unit",
    "Units",
    "count_words",
    "passage_text",
    "split_page",
    "words_of",
]
