"""Studies of feedback: objectives x retrievers x seeds, each beside its controls, in one command."""
