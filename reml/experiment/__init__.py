"""Experiments: what one is, its plan, how it is run and what is published of it.

costs    What a system cost: the sums over the nodes under its predictions
predict  From responses to predictions in KILT's form: an answer and the pages it may come from, best first
results  The result folder of an experiment: predictions, runs, measures, what made them, and the report
runner   Runs an experiment: prepare, index, retrieve, train, predict, evaluate
summary  The table an experiment ends with: access model x task
"""
