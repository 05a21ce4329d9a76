"""The alarms and suppressions that one transaction touches: locked, stepped in order, written at once.

Whoever steps alarms (the evaluation, a person, a timer) does it through a book, so that every step has its row in the
journal, its messages in the outbox and its frame on the screens. Locks are always taken in one order: the journal's
head, alarms, suppressions.
"""

from alerts.book.book import OWN, Book
from alerts.book.held import Actor

__all__ = ["OWN", "Actor", "Book"]
