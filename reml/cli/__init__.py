"""The command line.

`commands` names all commands and `dispatch` runs one: by the parser that `parsers` makes of its signature, and on an
experiment that `loading` reads. One file holds a group of commands: `experiment_commands` (with `search`),
`evaluation_commands`, `kilt_commands`, `study_command`. What is said when settings are wrong: `written`,
`wrong_settings`, `class_paths`, `class_listing`, `moved_paths`.
"""
