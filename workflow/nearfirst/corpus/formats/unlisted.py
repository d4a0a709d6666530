"""A task in neither part of the published splits; NIV2 and P3 hold such tasks too."""

from ..task import Task
from ..tasks.numbers import count_items

LIST_LENGTH = Task(
    "list_length",
    "list",
    "train",
    ("How long is this list? {items}",),
    count_items,
    "{answer}",
)
"""Readers have to leave it out and must not take it for one of the family's other tasks."""
