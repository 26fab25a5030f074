"""One file an engine that is compared."""
