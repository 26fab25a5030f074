"""Reading: from examples and their items to the token ids a model takes, and likelihoods of answers."""
