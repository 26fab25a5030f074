"""Devices: where models compute, in which precision, which process this is, what its terminal and its disk take.

bars          Bars of work at the bottom of a terminal
device        On which device models compute where nothing else is said
disk          A disk that takes no more: where it is, what was wanted and what is free
evaluating    Computing with a module without gradient or dropout, and leaving it as it was
plain         Text as it can be shown: what is written in names, ids, titles and paths is never a command
precision     Whether this machine computes in bfloat16 faster than in float32, asked of the machine
progress      How far work is that takes a while: what is done of it, how fast, and how long it still takes
random_state  The random states of Python, NumPy, torch and its CUDA devices: seeded, taken, and put back together
rank_zero     Whether this process was started by the user, or by Lightning to train with that one
ranks         Training on several devices: a process each, the first one started by the user
remarks       Remarks on the machine, which are not kept with what is made meanwhile
streams       The standard streams, made so that nothing that is printed can fail for what it says
terminal      The terminal: what is shown in it goes to rich as `Text` of `plain`, in which nothing is markup
turns         Many may read a thing at once, or one may change it
work          Work that takes a while, as a count, and what is to be said of it
"""
