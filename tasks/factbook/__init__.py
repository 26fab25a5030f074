"""The embedded default task: the World Factbook's pages and six kinds of tasks made of them.

aliases     Which names mean which page: titles, short and long forms, abbreviations, former names
claims      Fact checking: claims that a page SUPPORTS or REFUTES, as in FEVER
cleaning    Plain text from the HTML fragments that the fields of the World Factbook are written in
dialogue    Dialogue: a follow-up question whose subject is only named in the history; the answer is a sentence
hops        Multi-hop QA: the subject is described by its relation to another country and never named
mentions    Entity linking: a name in the running text of another country's page, marked
misleading  Open-domain QA where finding the answer's words is not enough
names       What the pages of the World Factbook are called: titles, and the other names their countries go by
pages       The pages of the World Factbook as a knowledge source: one page a country, one paragraph a field
questions   Open-domain QA: one relation of one country, asked in one wording
relations   The table of relations: which characters of a page are the value of a relation
slots       Slot filling: `Chad [SEP] capital`, a page's title and the name of a relation, as in T-REx and zsRE
splits      Which country belongs to which split
task        Six tasks over the pages of the World Factbook, one for each kind that KILT has
values      Other forms in which a value is right as well: numbers with and without their unit, in digits
"""

from reml.tasks.factbook.task import Factbook

__all__ = ["Factbook"]
