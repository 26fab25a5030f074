"""What a configuration can name: the classes there are, and what to say of a path that names none.

class_listing  What classes and commands of reml are for, read from their source: nothing is imported
class_paths    What to say when a configuration names a class that is not there
moved_paths    Where classes and settings that a configuration names have gone: by what they were called
"""
