"""reml: retrieval-enhanced machine learning, y = f(x; g_1, ..., g_N)."""

from importlib import metadata

__version__ = metadata.version("reml")
