"""Bytes that are what was written: sizes and digests on record, and when they are looked at.

checked   Files whose size and digest are on record, and one way to say what is wrong with their bytes
digests   Digests of large files, computed once: 35 GB of pages are not read twice to see
owned     Whose folder it is: a writer replaces or sweeps only what it made itself
sealed    Folders all of whose files are on record, looked at when they are opened, as `REML_VERIFY` says
"""
