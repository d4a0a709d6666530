"""Definitions of the tasks on reading, inference, everyday knowledge and facts."""

from .niv2_definition import Definition

_CATEGORY = "Word: {word}\nCategories: {options}"

DEFINITIONS = {
    "sentiment_restaurant_review": Definition(
        "In this task you are given a review of a restaurant. Decide whether its sentiment is "
        "positive or negative.",
        "{review}",
    ),
    "sentiment_film_review": Definition(
        "In this task you are given a review of a film. Decide whether it is positive or negative.",
        "{review}",
        r"The review is (.+)\.",
    ),
    "sentiment_book_review": Definition(
        "In this task you are given what a reader says of a book. Decide whether the reader finds "
        "it good or bad.",
        "{review}",
    ),
    "sentiment_product_review": Definition(
        "In this task you are given what a customer says of a product. Answer Yes if the customer "
        "is content and No otherwise.",
        "{review}",
    ),
    "sentiment_hotel_review": Definition(
        "In this task you are given a review of a hotel. Decide whether its sentiment is positive "
        "or negative.",
        "{review}",
    ),
    "extraction_who": Definition(
        "In this task you are given a passage about a purchase. Write the name of the buyer.",
        "{passage}",
    ),
    "extraction_where": Definition(
        "In this task you are given a passage about a purchase. Tell where it was made.",
        "{passage}",
        r"at (.+)",
    ),
    "extraction_what": Definition(
        "In this task you are given a passage about a purchase. Tell which thing was bought.",
        "{passage}",
        r"a (.+)",
    ),
    "extraction_with_whom": Definition(
        "In this task you are given a passage about a purchase. Tell with whom the buyer went.",
        "{passage}",
        r"with (.+)",
    ),
    "extraction_when": Definition(
        "In this task you are given a passage about a purchase. Tell on which day it was made.",
        "{passage}",
        r"on (.+)",
    ),
    "topic_of_sentence": Definition(
        "In this task you are given a sentence and three topics. Choose the topic of the sentence.",
        "Sentence: {text}\nTopics: {options}",
    ),
    "topic_of_headline": Definition(
        "In this task you are given a headline and three topics. Tell which topic the news is "
        "about.",
        "Headline: {headline}\nTopics: {options}",
        r"It is about (.+)\.",
    ),
    "topic_choice": Definition(
        "In this task you are given a sentence and three numbered topics. Choose the one that fits "
        "the sentence.",
        "Sentence: {text}\nTopics: {numbered}",
        r"\(\d\) (.+)",
    ),
    "topic_yes_no": Definition(
        "In this task you are given a sentence and a topic. Answer Yes if the sentence is about "
        "this topic and No if it is not.",
        "Sentence: {text}\nTopic: {claimed}",
    ),
    "topic_of_message": Definition(
        "In this task you are given a message and three topics. Choose the topic of the message.",
        "Message: {text}\nTopics: {options}",
    ),
    "inference_taller": Definition(
        "In this task you are given two facts about the height of people and a question. Answer it "
        "with Yes or No.",
        "{premises} {question}",
    ),
    "inference_category": Definition(
        "In this task you are given a rule, a fact and a question. Answer what follows from them.",
        "{premises} {question}",
        r"(Yes|No), .+",
    ),
    "inference_location": Definition(
        "In this task you are given two facts and a claim. Decide whether the claim is true or "
        "false.",
        "{premises}\nClaim: {claim}.",
    ),
    "inference_condition": Definition(
        "In this task you are given a habit of a person and a fact. Conclude where the person "
        "goes.",
        "{premises} Where does {name} go?",
        r"(?:She|He) goes to (.+)\.",
    ),
    "inference_older": Definition(
        "In this task you are given two facts about the age of people and a question. Answer it "
        "with Yes or No.",
        "{premises} {question}",
    ),
    "category_of_animal": Definition(
        "In this task you are given an animal and some categories. Choose the right category.",
        _CATEGORY,
    ),
    "category_of_plant": Definition(
        "In this task you are given a plant and some categories. Tell what kind of plant it is.",
        _CATEGORY,
        r".+ is an? (.+)\.",
    ),
    "category_of_household_thing": Definition(
        "In this task you are given a thing of the house and some categories. Choose the right "
        "category.",
        _CATEGORY,
    ),
    "category_yes_no": Definition(
        "In this task you are asked whether a thing is of some category. Answer Yes or No.",
        "Is {word} {claimed}?",
    ),
    "category_of_leisure_thing": Definition(
        "In this task you are given a thing and some categories. Choose the right category.",
        _CATEGORY,
    ),
    "calendar_day_after": Definition(
        "In this task you are given a day and told that something takes place one day later. Name "
        "that day of the week.",
        "Day: {given}\nOne day later: {event}",
    ),
    "calendar_day_before": Definition(
        "In this task you are given a day and told that something took place one day earlier. Tell "
        "which day of the week it was.",
        "Day: {given}\nOne day earlier: {event}",
        r"It was on (.+)\.",
    ),
    "calendar_month_after": Definition(
        "In this task you are given a month and told that something takes place one month later. "
        "Tell which month it is.",
        "Month: {given}\nOne month later: {event}",
        r"It is in (.+)\.",
    ),
    "calendar_month_before": Definition(
        "In this task you are given a month and told that something took place one month earlier. "
        "Tell which month it was.",
        "Month: {given}\nOne month earlier: {event}",
        r"The \w+ was in (.+)\.",
    ),
    "calendar_two_days_after": Definition(
        "In this task you are given a day and told that something takes place two days later. Name "
        "that day of the week.",
        "Day: {given}\nTwo days later: {event}",
    ),
    "letter_opening": Definition(
        "In this task you are told who gets a formal letter. Write its opening line.",
        "{title} {surname}",
    ),
    "letter_thanks": Definition(
        "In this task you are told who gave you a gift. Write one line of thanks.",
        "Giver: {name}\nGift: a {gift}",
    ),
    "letter_closing": Definition(
        "In this task you are told who writes a formal letter. Write its closing line.",
        "{name} {surname}",
    ),
    "letter_invitation": Definition(
        "In this task you are told whom you want to invite. Write one line of invitation.",
        "Guest: {guest}\nOccasion: {event}\nDay: {day}",
    ),
    "animal_sound": Definition(
        "An animal is named. Describe the noise that it makes.", "{animal}", r"It (.+)\."
    ),
    "object_colour": Definition(
        "Something from daily life is named. Say which colour it usually has.", "{thing}"
    ),
    "odd_one_out": Definition(
        "Among four things one is a stranger to the rest. Point it out and justify the choice.",
        "{things}",
    ),
    "tool_user": Definition(
        "A piece of equipment is named. Guess the profession that cannot do without it.",
        "{tool}",
        r"an? (.+)",
    ),
    "capital_city": Definition(
        "A country is named. Its government has its seat in which city?", "{country}"
    ),
    "likely_result": Definition(
        "Something happened, and two outcomes are imagined. Tell the one that is to be expected.",
        "{event}. Either {first}, or {second}.",
    ),
    "object_material": Definition(
        "An object is named. Of what stuff do craftsmen or factories normally make it?",
        "{a_thing}",
        r"of (.+)",
    ),
    "feeling_of_person": Definition(
        "Something happened to a person. Guess the emotion: happy, sad, angry, afraid or tired.",
        "{event}.",
        r"\w+ feels (.+)\.",
    ),
}
"""By name of the task."""
