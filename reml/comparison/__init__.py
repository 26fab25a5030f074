"""Comparisons of access models over tasks and seeds: cells, averages, tests and costs."""
