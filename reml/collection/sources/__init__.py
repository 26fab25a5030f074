"""Knowledge sources: pages of KILT, corpora of short texts, collections of ir_datasets."""

from reml.collection.sources.ir_datasets import IrDatasetsTexts
from reml.collection.sources.kilt_pages import JsonlPages
from reml.collection.sources.text_files import JsonlTexts, TsvTexts

__all__ = ["IrDatasetsTexts", "JsonlPages", "JsonlTexts", "TsvTexts"]
