"""Seeing whether all that is on disk is what was written, and keeping what is whole of what is damaged.

collections   Repairs a collection from its versions and segments: what is whole stays, what is lost is listed
indexes       Repairs an impact index: segments that are damaged go, the others stay
moving        Moves what is damaged aside, under a name that nothing else looks for; nothing is ever deleted
repairing     Repairs a stage, a result folder, a collection or an index, whichever a folder is
verifying     Reads every byte on record below a folder, and lists what is damaged or missing
"""
