"""Experiments: what one is, its plan, how it is run and what is published of it.

costs               What a system cost on a task when its parts were made
differences         Whether systems differ, of one experiment or of two
experiment_results  What an experiment gave: scores, examples, costs, differences between systems
figures             The figures of an experiment as its result folder has them
former              What a result was made from; a kept one of the same settings and other inputs is moved aside
graph               The graph of an experiment as people read it: each node, whether it is made
part_costs          What an experiment cost, part by part: its collections, indexes, retrieval
planned             What is looked at of a whole experiment before any of its work
predict             From responses to predictions in KILT's form: an answer and the pages it may come from
result_tables       Results as Arrow tables: a row for each figure
results             The result folder of an experiment: predictions, runs, measures, what made them
run                 Runs an experiment from its objects; the command line does the same with those
runner              Runs an experiment: prepare, index, retrieve, train, predict, evaluate
said                Warnings of a stage, kept with it and said again to who reuses what was made
seed_results        What an experiment gave under one seed
"""
