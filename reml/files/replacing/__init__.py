"""Taking the place of what is there: never neither, never through a link, and nothing of others deleted.

drafts    What is written beside a name until it is whole, who holds it, and what a killed writer left of it
exchange  Two names change places in one step, where the system can do that
locks     Locks that end with their holder, or a sentence where the file system has none
unlinked  Files and folders that are made without following a link, and that not everybody may write to
"""
