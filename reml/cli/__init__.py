"""The command line.

`commands` names all commands and `dispatch` runs one: by the parser that `parsers` makes of its signature, and on an
experiment that `loading` reads. One file holds a group of commands: `experiment_commands` (with `search`),
`comparison_commands`, `evaluation_commands`, `integrity_commands`, `kilt_commands`, `study_command`. What is said when
one fails: `failures`; when settings are wrong: `settings` and `class_listing`.

class_listing        What classes and commands of reml are for, read from their source: nothing is imported
commands             The commands of `reml`: by their words, the function or class that each one is, named so
comparison_commands  The commands on runs that were kept: `reml runs` and `reml compare`
dispatch             From the words of a command line to a typed call
evaluation_commands  The commands on files: score KILT predictions (`evaluate`) and TREC runs (`measure`)
experiment_commands  The commands on an experiment. Each does what is not done yet and says where things are
failures             What is said when a command fails: what a user can mend, and of what is left, that it is a fault
integrity_commands   The commands on damaged files: `reml verify` finds them, `reml repair` keeps what is whole
kilt_commands        The commands on KILT's files: `reml prepare kilt` and `reml submit`
loading              From the settings of an experiment to a runner
parsers              The parser of each command, made by jsonargparse from its signature
search               Asking one query and showing what comes back
settings             Settings: as they were written, what is wrong with them, and where
study_command        The command on a study: `reml study`
"""
