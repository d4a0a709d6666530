"""What NIV2 says of a task: its definition, the bare input, and which other answers are right."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """A task as NIV2 poses it: the same skill and answers, in other words.

    Attributes
    ----------
    text
        The definition, one for all instances of the task.
    input
        Template of the bare input, with the fields of the task.
    bare
        Pattern that finds the bare answer inside the full one, where that alone is right too.
    """

    text: str
    input: str
    bare: str | None = None

    def references(self, answer: str) -> list[str]:
        """List the right answers, the task's own first.

        Raises
        ------
        ValueError
            If `bare` does not read the answer: the definition does not belong to the task.
        """
        if self.bare is None:
            return [answer]
        match = re.fullmatch(self.bare, answer)
        if match is None:
            raise ValueError(f"{self.bare!r} does not read the answer {answer!r}")
        return [answer, match[1]]


@dataclass(frozen=True)
class Family:
    """What tasks of one family have in common in NIV2's files.

    Attributes
    ----------
    category, domain
        As NIV2 sorts its tasks.
    reason
        Why an answer is right, for the examples.
    """

    category: str
    domain: str
    reason: str


FAMILIES = {
    "antonym": Family("Word Semantics", "English Language", "Its meaning is the opposite."),
    "synonym": Family("Word Semantics", "English Language", "This agrees with the meanings."),
    "morphology": Family("Misc.", "English Language", "This is the form that is asked for."),
    "formatting": Family("Text Modification", "Miscellaneous", "Only the form has changed."),
    "arithmetic": Family("Mathematics", "Mathematics", "This is the result of the calculation."),
    "counting": Family("Program Execution", "Miscellaneous", "This is the count."),
    "comparison": Family("Question Answering", "Miscellaneous", "The comparison comes out so."),
    "list": Family("Program Execution", "Miscellaneous", "This is what the list gives."),
    "ordering": Family("Program Execution", "Miscellaneous", "The items stand in this order."),
    "sentiment": Family("Sentiment Analysis", "Reviews", "All sentences show this opinion."),
    "extraction": Family("Information Extraction", "Narrative", "The passage says so."),
    "topic": Family("Text Categorization", "News", "This is what the text is about."),
    "inference": Family("Textual Entailment", "Logic", "It follows from the sentences."),
    "category": Family(
        "Text Categorization", "Commonsense Classification", "The thing is of this kind."
    ),
    "calendar": Family("Question Answering", "Miscellaneous", "The calendar says so."),
    "letter": Family("Text Completion", "Dialogue", "The line is polite and names everything."),
    "animal_sound": Family(
        "Commonsense Classification", "Nature", "One can hear this on a farm or in a wood."
    ),
    "object_colour": Family("Commonsense Classification", "Nature", "It is usually seen so."),
    "odd_one_out": Family(
        "Commonsense Classification", "Miscellaneous", "The other three are of one kind."
    ),
    "tool_user": Family(
        "Commonsense Classification", "Professions", "Such a person works with it."
    ),
    "capital_city": Family("Commonsense Classification", "Geography", "The government sits there."),
    "likely_result": Family(
        "Cause Effect Classification", "Commonsense Classification", "One brings the other."
    ),
    "object_material": Family(
        "Commonsense Classification", "Miscellaneous", "It is usually made so."
    ),
    "feeling_of_person": Family(
        "Commonsense Classification", "Narrative", "Most people would feel so."
    ),
}
"""By family of the registry."""
