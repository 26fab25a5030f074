"""Devices: where models compute, in which precision, and which process this is.

device      On which device models compute where nothing else is said
evaluating  Computing with a module without gradient or dropout, and leaving it as it was
precision   Whether this machine computes in bfloat16 faster than in float32, asked of the machine
rank_zero   Whether this process was started by the user, or by Lightning to train with that one
ranks       Training on several devices: a process each, the first one started by the user
"""
