"""KILT measures, run files, reports."""
