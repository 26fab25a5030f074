"""Knowledge sources: pages of KILT, corpora of short texts, collections of ir_datasets.

ir_datasets  Collections of ir_datasets as knowledge sources
kilt_pages   Knowledge sources on disk: pages in KILT's schema, one JSON object a line, plain or gzip
quoted_cells Cells that may stand in double quotes, as in DPR's passages
text_files   Corpora of short texts as knowledge sources: each text is a page of one paragraph under its title
"""

from reml.collection.sources.ir_datasets import IrDatasetsTexts
from reml.collection.sources.kilt_pages import JsonlPages
from reml.collection.sources.text_files import JsonlTexts, TsvTexts

__all__ = ["IrDatasetsTexts", "JsonlPages", "JsonlTexts", "TsvTexts"]
