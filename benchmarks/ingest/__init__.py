"""A whole knowledge source brought into a collection: rate, memory, growth, and going on after a kill."""
