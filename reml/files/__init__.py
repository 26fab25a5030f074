"""Files that are whole or not there: atomic writing, digests, lines, archives, downloads, records."""
