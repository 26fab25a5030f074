"""Settings: as they were written, what is wrong with them, and where.

class_paths     What to say when a configuration names a class that is not there
moved_paths     Where classes and settings that a configuration names have gone: by what they were called
named_functions  What is no class where a configuration names what makes an object: which functions may be called
options         Values of options as their settings take them: lists with commas, and no word that is another number
refused         Which of the objects that settings make refuses what it is given, and for which of its settings
trusted         Whose code a configuration may name: a class path is imported, and what it names is called
written         Settings as they were written, in YAML files and on the command line, and where each one stands
wrong_settings  Where settings do not fit the class they are for, and the nearest names
"""
