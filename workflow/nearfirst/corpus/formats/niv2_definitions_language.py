"""Definitions of the tasks on words, their forms, numbers and lists."""

from .niv2_definition import Definition

DEFINITIONS = {
    "antonym_adjective": Definition(
        "In this task you are given an adjective. Write an adjective of the opposite meaning.",
        "{word}",
    ),
    "antonym_verb": Definition(
        "In this task you are given a verb. Write a verb of the opposite meaning.",
        "{word}",
        r"to (.+)",
    ),
    "antonym_noun": Definition(
        "In this task you are given a noun. Tell which noun has the opposite meaning.",
        "{word}",
        r"The opposite is (.+)\.",
    ),
    "antonym_choice": Definition(
        "In this task you are given a word and three numbered options. Choose the option whose "
        "meaning is the opposite of that of the word.",
        "Word: {word}\nOptions: {options}",
        r"\(\d\) (.+)",
    ),
    "antonym_phrase": Definition(
        "In this task you are given an adjective with a noun. Keep the noun and put an adjective "
        "of the opposite meaning before it.",
        "{phrase}",
        r"an? (.+)",
    ),
    "synonym_word": Definition(
        "In this task you are given a word. Write another word that means the same.", "{word}"
    ),
    "synonym_choice": Definition(
        "In this task you are given a word and three numbered options. Choose the option that "
        "means the same as the word.",
        "Word: {word}\nOptions: {options}",
        r"\(\d\) (.+)",
    ),
    "synonym_yes_no": Definition(
        "In this task you are given two words. Answer Yes if they have the same meaning and No if "
        "they do not.",
        "{first}, {second}",
    ),
    "synonym_replace": Definition(
        "In this task you are given a sentence and one word of it. Write the sentence again with "
        "a synonym of this word in its place.",
        "Sentence: {sentence}\nWord: {word}",
    ),
    "plural_of_noun": Definition(
        "In this task you are given a noun in the singular. Write its plural.", "{noun}"
    ),
    "past_tense_of_verb": Definition(
        "In this task you are given a verb. Write its simple past form.", "{verb}"
    ),
    "continuous_form_of_verb": Definition(
        "In this task you are given a person and a verb. Write a sentence in the present "
        "continuous that says what the person is doing.",
        "Person: {name}\nVerb: {verb}",
    ),
    "comparative_of_adjective": Definition(
        "In this task you are given an adjective. Write its comparative form.", "{word}"
    ),
    "uppercase_phrase": Definition(
        "In this task you are given a text. Write it in capital letters.", "{text}"
    ),
    "initials_of_name": Definition(
        "In this task you are given a full name. Write the initials with a full stop after each.",
        "{name}",
    ),
    "surname_before_first_name": Definition(
        "In this task you are given a full name. Write the surname, a comma and the first name.",
        "{name}",
    ),
    "spell_with_hyphens": Definition(
        "In this task you are given a word. Write its letters with hyphens between them.", "{word}"
    ),
    "arithmetic_addition": Definition(
        "In this task you are given two numbers in words. Write their sum in words.", "{a}, {b}"
    ),
    "arithmetic_subtraction": Definition(
        "In this task you are given two numbers in words. Subtract the second one from the first "
        "one and answer in words.",
        "{a}, {b}",
        r"The answer is (.+)\.",
    ),
    "arithmetic_doubling": Definition(
        "In this task you are given a number in words. Multiply it by two and answer in words.",
        "{a}",
    ),
    "arithmetic_story_gain": Definition(
        "In this task you are given a little story in which a number of things grows. Tell how "
        "many there are in the end.",
        "{story} How many {things} are there in the end?",
        r"(\S+) \w+",
    ),
    "arithmetic_story_loss": Definition(
        "In this task you are given a little story in which a number of things shrinks. Tell how "
        "many are left in the end.",
        "{story} How many {things} are left in the end?",
        r"(\S+) \w+",
    ),
    "count_items": Definition(
        "In this task you are given a list. Count its items and write the number in words.",
        "{items}",
    ),
    "count_letters": Definition(
        "In this task you are given a word. Count its letters and answer in words.",
        "{word}",
        r"(.+) letters",
    ),
    "count_of_kind": Definition(
        "In this task you are given a list and a kind of things. Count the items of the list that "
        "are of this kind, and answer in words.",
        "List: {items}\nKind: {kind}",
        r"There (?:is|are) (\w+) \w+\.",
    ),
    "count_repeats": Definition(
        "In this task you are given a list and a word. Count how often the word occurs in the "
        "list, and answer in words.",
        "List: {items}\nWord: {word}",
    ),
    "compare_numbers": Definition(
        "In this task you are given two numbers in words. Write the larger one.", "{a}, {b}"
    ),
    "compare_animal_weight": Definition(
        "In this task you are given two animals. Tell which of them is heavier.",
        "{a}, {b}",
        r"the (.+)",
    ),
    "compare_prices": Definition(
        "In this task you are given two things with their prices. Tell which of them costs more.",
        "{a}: {price} coins\n{b}: {other} coins",
        r"The (.+) costs more\.",
    ),
    "compare_times": Definition(
        "In this task you are told when two people arrive. Write the name of the one who comes "
        "first.",
        "{arrivals}",
    ),
    "list_first_item": Definition(
        "In this task you are given a list. Write its first item.", "{items}"
    ),
    "list_last_item": Definition(
        "In this task you are given a list. Tell which item is its last one.",
        "{items}",
        r"The last item is (.+)\.",
    ),
    "list_reversed": Definition(
        "In this task you are given a list. Write its items in reverse order.", "{items}"
    ),
    "list_without_item": Definition(
        "In this task you are given a list and one of its items. Write the list without this item.",
        "List: {items}\nItem: {item}",
    ),
    "order_alphabetically": Definition(
        "In this task you are given a list of words. Put them in alphabetical order.", "{items}"
    ),
    "order_numbers_ascending": Definition(
        "In this task you are given numbers in words. Put them in order, the smallest first.",
        "{items}",
    ),
    "order_numbers_descending": Definition(
        "In this task you are given a list of numbers. Put them in order, the largest first.",
        "{items}",
    ),
    "order_animals_by_size": Definition(
        "In this task you are given a list of animals. Put them in order of size, the smallest "
        "first, with the sign '<' between them.",
        "{items}",
    ),
}
"""By name of the task."""
