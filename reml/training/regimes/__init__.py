"""Who learns from what: independent, conditional and joint regimes, and rankings by themselves."""
