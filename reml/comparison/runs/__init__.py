"""Runs that were kept: which there are in a home, and what two of them or more have in common and in which they differ.

`reml runs` and `reml.runs` list; `reml compare` and `reml.compare` compare, by name or folder, or results at hand.

changed    The questions that one of two runs answers rightly and the other one wrongly, with both answers
comparing  Compares several runs, kept or at hand: settings, figures with intervals and tests
finding    A run by its folder, its name or its key, or the beginning of either
kept       What is in the folder of a run, whichever version of reml made it and whether or not it is whole
listing    Which runs a home has, the newest first, and what of the settings of each is another than before
result     What comparing several runs gave: as Arrow table, tables of texts, JSON, and one page
settings   In which settings several experiments differ
stored     The results of a run read back from its folder
tables     The tables of runs compared: what they are, their settings, what they were asked, their figures
"""
