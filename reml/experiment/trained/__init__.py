"""Nodes of what is trained before it is used: as it comes, and after each round or phase of its training.

encoders     Encoders of retrievers before they learn, and after each round of a training
mined_lists  What a retriever is taught on in a round of its training: examples, and a list for each
predictors   Predictors as they come, and after their training
rankers      Rankers as they come, and after their training
rounds       A round of training a retriever or a ranker: what it learns from, and how
"""
