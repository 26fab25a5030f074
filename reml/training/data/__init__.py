"""What is learnt from: examples with what was retrieved for them, and in which order they come."""
