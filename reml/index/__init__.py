"""Indexes: each finds the k best items for representations.

bounding        Kernels that compute the bounds of a segment's postings: see `reml.index.postings.Bounds`
commits         What a folder of segments holds at one commit: a manifest that names the segments
compiling       Says when kernels are compiled: once a machine, since numba keeps them on disk
encoded_shards  Encoding a whole collection in bounded memory, in shards
faiss           Dense vectors in FAISS: any index that its factory strings name
held            What an impact index holds at one instant: a value that is replaced whole
impact          The impact index: exact search over weighted sparse vectors, for BM25, SNRM
inversion       Kernels that check sparse vectors and turn them into postings, and
layered         An index over another one that stays as it is: what is added lies beside it, in memory
mapped          Files that are mapped into memory: their pages count as the process's until it lets them go
maxscore        Kernels that find the best rows of a segment exactly while touching few of its postings
postings        The arrays of an inverted file, as kernels take them
segment         A segment: an immutable inverted file over some rows, in memory or memory-mapped from a folder
sorting         Kernels that sort short arrays
sparse          Checks on sparse vectors at the door of an index: what comes in is valid or refused
"""
