"""The settings of an experiment as typed values that one YAML gives.

access              How an information access model is made: what a configuration says under `access`
access_feedback     How the retriever of an access model learns from the predictor of an experiment
asked               What a stage was made from, as its manifest says it: compared when it is found again
experiment          What an experiment is: task(s) x access model(s) x predictor x seed, as typed values
identity            What makes a key of settings: beside them the versions or sources of the classes they name
ranker              A ranker of an experiment: a scorer that access models name, and how it is trained
retriever_training  How a retriever is trained before it indexes: what a configuration says under `train`
settings_of         What an object was made with, told by the object itself, in the form that a YAML would write
system              What an experiment compares: predictors, each with the access models it is given
train_on            What predictors are trained on, and in which phases: what a configuration says under `train_on`
"""
