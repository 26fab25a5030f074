"""YAML as it was meant: the one reader of the project, which loses nothing and misreads nothing.

places   Where a setting stands in a file of YAML
reading  A text or file of YAML: one document, in UTF-8, keys as they are written and each once, small enough
scalars  What a plain word of YAML stands for: a number where it can be nothing else, and the text else
"""
