"""KILT: its eleven datasets, where their files are, and how they are brought here."""
