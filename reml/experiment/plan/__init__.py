"""The plan of an experiment: which pieces of work there are, what each depends on and how it is made.

collections          What tasks give: their examples
hits                 Access models, and what they find for all examples of a split
indexes              Retrievers over a collection: an index of what an encoder makes of its items
node                 One piece of work of an experiment: what it is made of, how it is made into a folder
part_planner         The nodes of access models, of what they learn, and of predictors
planner              Turns the names of an experiment into nodes; nothing else knows names
predictions          What a predictor answers to the examples of a split, with what an access model finds
predictor_signals    What is said of the lists that access models with feedback learn on: by their predictor
store                Stages of an experiment: each is cached under the digest of all it depends on, so
storing_predictions  Predictions with an access model that stores: batch after batch
task_nodes           The nodes of what the tasks of an experiment give, by name: examples of a split
taught_encoders      Encoders of retrievers after they have learnt from the feedback of a predictor
"""
