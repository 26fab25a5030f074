"""Knowledge sources: pages of KILT, folders and files of texts, TREC's documents, collections of ir_datasets.

documents    Which source reads a file or folder of documents: told by what stands in it
ir_datasets  Collections of ir_datasets as knowledge sources
kilt_pages   Knowledge sources on disk: pages in KILT's schema, one JSON object a line, plain or gzip
memory_pages Pages in memory as a knowledge source: of a task that makes its own
quoted_cells Cells that may stand in double quotes, as in DPR's passages
text_files   Corpora of short texts as knowledge sources: each text is a page of one paragraph under its title
text_folder  A folder of texts as a knowledge source: each file is a page, titled by its name
trec_documents TREC's documents as a knowledge source: what stands between `<DOC>` and `</DOC>`
"""

from reml.collection.sources.ir_datasets import IrDatasetsTexts
from reml.collection.sources.kilt_pages import JsonlPages
from reml.collection.sources.memory_pages import MemoryPages
from reml.collection.sources.text_files import JsonlTexts, TsvTexts
from reml.collection.sources.text_folder import TextFolder
from reml.collection.sources.trec_documents import TrecDocuments

__all__ = ["IrDatasetsTexts", "JsonlPages", "JsonlTexts", "MemoryPages", "TextFolder", "TrecDocuments", "TsvTexts"]
