"""Studies of feedback: objectives x retrievers x seeds, each beside its controls, in one command.

cells   What a study measures of each condition: pages, passages, answers, and what its training cost
page    `report.html` of a study: one page that needs nothing else, with tables, recall against k
plan    What a study runs: an experiment, and which retrievers learn in it by which objectives
result  The folder of a study: its tables, all figures, what made them, and the page
tables  The tables of a study: what is shown, rounded, and what is written as CSV with all digits
"""
