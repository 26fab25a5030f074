"""A whole knowledge source brought into a collection: rate, memory, growth, and going on after a kill.

building      A collection built from a file of pages in this process, and what that cost
command       `reml benchmark ingest`: a knowledge source as large as wanted, brought into a collection
interruption  A build that is killed at a random moment and gone on with, beside one that was left in peace
page          A page of a run that needs nothing else: tables, plots, and where the growth leads
result        The result of a run: what was built, where its growth leads, and the build that was killed
shape         How long the pages of KILT's knowledge source are, drawn at random
source        A knowledge source in KILT's schema and of KILT's lengths, of made-up words, of any size
tables        What was measured, as tables and sentences: for the terminal here, for a page in `page.py`
"""
