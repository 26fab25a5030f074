"""KILT: its eleven datasets, where their files are, and how they are brought here.

catalogue   The eleven datasets of KILT: what kind of task each is, what it is ranked by
files       Where the files of KILT are: found in a folder, or brought into it
hub         KILT's datasets from the Hugging Face hub, written as the files that KILT itself has
preparing   KILT brought here: datasets fetched and read, pages made a collection
submission  The archive for KILT's leaderboard: one file of predictions for each dataset, written and checked
templates   KILT's inputs in the form that its T5 baseline reads them: the kind of task, a colon, the input
triviaqa    TriviaQA's questions, which KILT leaves out: joined
"""
