"""Collections: versioned tables of items on disk, cut from knowledge sources, and the evidence they hold."""
