"""Families on reading: sentiment, extraction and topic."""

import random

from ..scenes import draw_errand, draw_review, draw_topic
from ..task import Make, Task
from ..wording import numbered, series
from ..world import PEOPLE


def _sentiment(domain: str, praise: str, complaint: str) -> Make:
    def make(rng: random.Random) -> tuple[dict[str, str], str]:
        review, positive = draw_review(rng, domain)
        return {"review": review}, praise if positive else complaint

    return make


def _extraction(answer: str) -> Make:
    def make(rng: random.Random) -> tuple[dict[str, str], str]:
        errand = draw_errand(rng)
        person = errand.person
        fields = {
            "passage": errand.passage(rng.randrange(3)),
            "name": person.name,
            "place": errand.place,
            "purchase": errand.purchase,
        }
        return fields, answer.format(
            day=errand.day, companion=errand.companion, possessive=person.possessive, **fields
        )

    return make


def _topic(answer: str, suffix: str = "") -> Make:
    def make(rng: random.Random) -> tuple[dict[str, str], str]:
        text, topic = draw_topic(rng)
        others = [name for name in _TOPIC_NAMES if name != topic]
        options = [topic, *rng.sample(others, 2)]
        rng.shuffle(options)
        claimed = topic if rng.random() < 0.5 else rng.choice(others)
        fields = {
            "text": text + suffix,
            "headline": text.rstrip(".").upper(),
            "options": series(options, "or"),
            "numbered": numbered(options),
            "claimed": claimed,
            "friend": rng.choice(PEOPLE).name,
        }
        return fields, answer.format(
            topic=topic,
            number=options.index(topic) + 1,
            truth="Yes" if claimed == topic else "No",
        )

    return make


_TOPIC_NAMES = ("sport", "weather", "food", "music", "health", "school")

TASKS = (
    Task(
        "sentiment_restaurant_review",
        "sentiment",
        "train",
        (
            "Is the sentiment of this restaurant review positive or negative?\n{review}",
            "Read what a guest wrote about a restaurant: is it positive or negative? {review}",
            "Classify the review of the restaurant as positive or negative.\nReview: {review}",
            "Restaurant review: {review}\nSentiment (positive or negative)?",
        ),
        _sentiment("restaurant", "positive", "negative"),
    ),
    Task(
        "sentiment_film_review",
        "sentiment",
        "train",
        (
            "Is the sentiment of this film review positive or negative? Use a sentence.\n{review}",
            "Somebody wrote this about a film. Say if it is positive or negative. {review}",
            "Classify the review of the film and answer in a sentence.\nReview: {review}",
        ),
        _sentiment("film", "The review is positive.", "The review is negative."),
    ),
    Task(
        "sentiment_book_review",
        "sentiment",
        "train",
        (
            "Does this reader think that the book is good or bad?\n{review}",
            "Book review: {review}\nIs the opinion of the book good or bad?",
            "Classify the review of the book as good or bad.\nReview: {review}",
        ),
        _sentiment("book", "good", "bad"),
    ),
    Task(
        "sentiment_product_review",
        "sentiment",
        "train",
        (
            "Is the customer content with the product? Answer Yes or No.\n{review}",
            "A customer wrote this about a new phone. Is it praise? Say Yes or No. {review}",
            "Product review: {review}\nDid the customer like the product? Yes or No?",
        ),
        _sentiment("product", "Yes", "No"),
    ),
    Task(
        "sentiment_hotel_review",
        "sentiment",
        "near",
        (
            "Is the sentiment of this hotel review positive or negative?\n{review}",
            "Read what a guest wrote about a hotel: is it positive or negative? {review}",
            "Classify the review of the hotel as positive or negative.\nReview: {review}",
            "Hotel review: {review}\nSentiment (positive or negative)?",
        ),
        _sentiment("hotel", "positive", "negative"),
    ),
    Task(
        "extraction_who",
        "extraction",
        "train",
        (
            "Read the passage and answer the question. {passage} Who bought the {purchase}?",
            "{passage}\nQuestion: Who went to the {place}? Answer with the name only.",
            "Find the answer in the text.\nText: {passage}\nWho is the text about?",
        ),
        _extraction("{name}"),
    ),
    Task(
        "extraction_where",
        "extraction",
        "train",
        (
            "Read the passage and answer the question. {passage} Where did this happen?",
            "{passage}\nQuestion: Where did {name} buy the {purchase}?",
            "Find the answer in the text.\nText: {passage}\nWhere was {name}?",
        ),
        _extraction("at the {place}"),
    ),
    Task(
        "extraction_what",
        "extraction",
        "train",
        (
            "Read the passage and answer the question. {passage} What did {name} buy?",
            "{passage}\nQuestion: What did {name} bring home from the {place}?",
            "Find the answer in the text.\nText: {passage}\nWhich thing was bought?",
        ),
        _extraction("a {purchase}"),
    ),
    Task(
        "extraction_with_whom",
        "extraction",
        "train",
        (
            "Read the passage and answer the question. {passage} With whom did {name} go?",
            "{passage}\nQuestion: With whom did {name} make this trip? Answer in a few words.",
            "Find the answer in the text.\nText: {passage}\nWith whom was {name} there?",
        ),
        _extraction("with {possessive} {companion}"),
    ),
    Task(
        "extraction_when",
        "extraction",
        "near",
        (
            "Read the passage and answer the question. {passage} When did {name} go?",
            "{passage}\nQuestion: On which day did {name} buy the {purchase}?",
            "Find the answer in the text.\nText: {passage}\nOn which day did this happen?",
        ),
        _extraction("on {day}"),
    ),
    Task(
        "topic_of_sentence",
        "topic",
        "train",
        (
            "What is the topic of this sentence: {options}?\n{text}",
            "Name the topic of the sentence. Choose from {options}.\nSentence: {text}",
            "Is the following sentence about {options}? {text}",
        ),
        _topic("{topic}"),
    ),
    Task(
        "topic_of_headline",
        "topic",
        "train",
        (
            "In which section of the newspaper does this headline belong: {options}?\n{headline}",
            "Name the topic of the headline in a sentence: {options}.\nHeadline: {headline}",
            "Headline: {headline}\nIs this news about {options}? Answer in a sentence.",
        ),
        _topic("It is about {topic}."),
    ),
    Task(
        "topic_choice",
        "topic",
        "train",
        (
            "Choose the topic of the sentence.\n{text}\n{numbered}",
            "Which of the three topics fits this sentence? {text} {numbered}",
            "Sentence: {text}\nTopics: {numbered}\nPick the right one.",
        ),
        _topic("({number}) {topic}"),
    ),
    Task(
        "topic_yes_no",
        "topic",
        "train",
        (
            "Is the topic of this sentence {claimed}? Answer Yes or No.\n{text}",
            "Sentence: {text}\nDoes it deal with {claimed}? Say Yes or No.",
            "Say Yes if the sentence is about {claimed}, otherwise say No. {text}",
        ),
        _topic("{truth}"),
    ),
    Task(
        "topic_of_message",
        "topic",
        "near",
        (
            "What is the topic of this message to {friend}: {options}?\n{text}",
            "Name the topic of the message. Choose from {options}.\nMessage: {text}",
            "Is the following message to {friend} about {options}? {text}",
        ),
        _topic("{topic}", suffix=" See you soon!"),
    ),
)
