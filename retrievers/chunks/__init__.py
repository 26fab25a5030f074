"""Chunks: the pages of a collection cut into chunks of tokens, each found with the one that follows it, for RETRO.

chunk_table  The rows: chunks of the documents of another collection, with token ids as columns of numbers
chunks       The settings a configuration names: cuts, and lets any retriever of ours find
"""

from reml.retrievers.chunks.chunks import Chunks

__all__ = ["Chunks"]
