"""A task in neither part of the published splits; NIV2 and P3 hold such tasks too."""

from ..task import Task
from ..tasks.numbers import TASKS

LIST_LENGTH = Task(
    "list_length",
    "list",
    "train",
    ("How long is this list? {items}",),
    next(task.make for task in TASKS if task.name == "count_items"),
)
"""Readers have to leave it out, and not to take it for one of the family's other tasks."""
