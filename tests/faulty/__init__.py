"""A file layer that fails: the n-th write, fsync, rename, open, mkdir or reservation of space of this process.

calls      The calls by which Python, numpy and reml write files, each told before it is made
failing    The n-th call of a kind fails, once or from then on
scenarios  What is written in the tests of faults: how it begins, the work, and what can be read afterwards
"""
