"""Training with Lightning.

settings  How a model is trained: flat settings that a configuration can write
"""
