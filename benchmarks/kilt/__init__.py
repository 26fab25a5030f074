"""Task x access model x seed, measured as KILT measures, beside what was published."""
