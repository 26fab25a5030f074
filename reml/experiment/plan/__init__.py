"""The plan of an experiment: which pieces of work there are, what each depends on and how it is made."""
