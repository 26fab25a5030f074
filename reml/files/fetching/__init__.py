"""Files that come from servers and archives.

archives       Members of a tar archive, read as they come: nothing is unpacked
downloads      Files fetched from servers that fail: resumed, tried again, checked
http_transfer  One attempt to get a file, or the rest of one, over HTTP: what came is kept
"""
