"""The command line: one file for each kind of command, and what it says when settings are wrong."""
