"""Experiments: what one is, its plan, how it is run and what is published of it.

costs               What a system cost on a task: the sums over the nodes under its predictions
differences         Whether systems differ, of one experiment or of two
experiment_results  What an experiment gave: scores, examples, costs, differences, where its report is
predict             From responses to predictions in KILT's form: an answer and the pages it may come from, best first
result_tables       Results as Arrow tables: a row for each figure
results             The result folder of an experiment: predictions, runs, measures, what made them, and the report
run                 Runs an experiment from its objects, for Python and the command line
runner              Runs an experiment: prepare, index, retrieve, train, predict, evaluate
seed_results        What an experiment gave under one seed
summary             The table an experiment ends with: access model x task
"""
