"""Tasks: one file a task or family."""
