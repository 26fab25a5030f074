"""Collections: versioned tables of items on disk, cut from knowledge sources, and the evidence they hold.

attachments   Media and named fields of items as Arrow columns, there only in segments of which an item has some
building      From pages to segments: what a collection is built and appended with
changes       What came to a collection and what went since an index was built for it, so
checks        Whether examples fit the knowledge source they refer to
columns       Columns of numbers beside the items: given with rows as they are appended, or computed
coverage      How much of the gold provenance of examples a collection has: what it lacks, no retriever can find
disk          Collections on disk: items by row, page and title, in versions that one writer adds
evidence      From the characters of a gold span to the passages that hold them, so that passages can be learnt
known_pages   Which pages a knowledge source has, asked of a file of pages or of a collection made of it
near_pages    Which page of a collection is likely meant by an id that it does not have
overlays      Overlays: collections that begin as a version of another one and go on by themselves
ranked_pages  The pages of ranked rows, told apart by their numbers, so that no item is made of what is not kept
segments      Segments of a collection: a run of consecutive rows in one folder, written once and never changed
snapshot      One version of a collection, open for reading: nothing that is written later changes it
versions      Versions of a collection on disk: which segments and which deleted rows each is made of
"""
