"""Speed of indexes against peers.

command     `reml benchmark speed`: indexes against their peers, on the same items and queries, in one run
comparison  All engines on one workload: built one after the other, searched in turns
costs       What a piece of work costs this process: wall time, CPU time, memory
engine      What an engine must offer to be compared, and the engines there are
figures     What is measured, as values. Times are seconds unless a name says otherwise, sizes are bytes
growth      How time and memory grow with the number of items, and where that leads
isolation   Work in a fresh process of its own, so that peaks of memory do not mix and a crash ends only
measuring   One engine on one workload, measured in this process: building it, and searching what was built
page        A page of a run that needs nothing else: tables, plots, and where the growth leads
plan        Which workloads are compared: synthetic ones of each size and model, and real texts beside them
ratios      How many times as fast an engine is as the baseline, by CPU time
recall      How many of the best items an engine has found, by exact scores of its own variant
result      The result of a run: figures, what they were measured on and with, and what was left out
scoring     What each engine computes, written down independently of it in float64
tables      What was measured, as tables: for the terminal here, for a page in `page.py`
"""
