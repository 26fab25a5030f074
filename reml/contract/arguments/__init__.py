"""What is given to reml is looked at where it is given, each kind of it in one place: names, numbers, texts, classes.

checked     Arguments of a class or function looked at first: each as its annotation has it, or a sentence
extras      What to install where an optional package is absent: the one hint of the project
names       The names that people give: one rule, and what breaks it said before any work
kinds       What a value must be by an annotation: a number in bounds, a text, a list, an object of a class
numbers     The numbers that people give: bounds that stand in annotations, and whether a value keeps them
paths       Paths given as texts: whoever wants a `Path` takes a text too
several     Several texts where one text was given: a text is a sequence of letters, and nobody means those
signatures  Where the methods of a class are not written as a configuration asks: it knows a class by its annotations
"""
