"""What is run to compare: configurations of experiments, speed against peers."""
