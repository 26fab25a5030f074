"""IDCM: long items in windows, of which a cheap part chooses those that a transformer reads.

cascade  What IDCM learns beside the transformer: which windows are read, and what their scores count
idcm     IDCM: intra-document cascading
windows  The windows of tokens that IDCM cuts items into
"""

from reml.retrievers.rankers.idcm.idcm import IDCM
from reml.retrievers.rankers.idcm.windows import Form

__all__ = ["IDCM", "Form"]
