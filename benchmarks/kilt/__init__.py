"""Task x access model x seed, measured as KILT measures, beside what was published.

command        `reml benchmark kilt`: an experiment under several seeds, as a matrix of tasks and access models
long_pages     The long pages of a knowledge source, and some questions that they answer
page           A page of a matrix that needs nothing else: tables, plots of score against cost
published      What papers report on KILT's datasets (`benchmarks/published.yaml`)
result         The folder of a matrix: its tables, all figures, what made them, and the page
saved_rankers  The rankers of an experiment, trained, in folders that other experiments name
script         A function as a command of its own, whose errors are told as `reml` tells them
selection      A part of an experiment: some of its tasks, and some of its access models with those that they need
tables         The tables of a matrix: figures, costs, tests, and what was published
"""
