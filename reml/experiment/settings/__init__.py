"""The settings of an experiment as typed values that one YAML gives."""
