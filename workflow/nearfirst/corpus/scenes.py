"""Sentences about small scenes: reviews, errands, daily topics, causes and feelings."""

import random
from dataclasses import dataclass

from .world import COMPANIONS, DAYS, ERRAND_PLACES, PEOPLE, PURCHASES, VEHICLES_TAKEN, Person

# Domain: sentences of praise, then sentences of complaint.
REVIEWS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "restaurant": (
        (
            "The soup was delicious.",
            "The waiter was friendly.",
            "The fish was fresh and tasty.",
            "We got a lovely table by the window.",
            "The dessert was wonderful.",
            "The food came quickly.",
        ),
        (
            "The soup was cold.",
            "The waiter was rude.",
            "The fish smelled bad.",
            "Our table was dirty.",
            "The dessert was awful.",
            "We waited an hour for our food.",
        ),
    ),
    "film": (
        (
            "The story was exciting.",
            "The actors were brilliant.",
            "The music was beautiful.",
            "I laughed from start to end.",
            "The ending was a great surprise.",
            "Every scene was full of life.",
        ),
        (
            "The story was boring.",
            "The actors were terrible.",
            "The music was annoying.",
            "I nearly fell asleep.",
            "The ending made no sense.",
            "Every scene was far too long.",
        ),
    ),
    "book": (
        (
            "The plot was clever.",
            "The characters felt real.",
            "I could not put it down.",
            "The author writes beautifully.",
            "The first chapter was a delight.",
            "I read it twice with pleasure.",
        ),
        (
            "The plot was dull.",
            "The characters felt flat.",
            "I gave up after ten pages.",
            "The author writes badly.",
            "The first chapter was a mess.",
            "I was bored on every page.",
        ),
    ),
    "product": (
        (
            "It works perfectly.",
            "The battery lasts for days.",
            "It is easy to use.",
            "It looks very elegant.",
            "It was worth the money.",
            "It arrived on time and in good order.",
        ),
        (
            "It broke after one day.",
            "The battery is useless.",
            "It is very hard to use.",
            "It looks cheap and ugly.",
            "It was a waste of money.",
            "It arrived late and damaged.",
        ),
    ),
    "hotel": (
        (
            "The room was clean and bright.",
            "The staff were kind and helpful.",
            "The bed was very comfortable.",
            "Breakfast was excellent.",
            "The view of the sea was lovely.",
            "It was quiet at night.",
        ),
        (
            "The room was dirty and dark.",
            "The staff were rude and slow.",
            "The bed was hard and too small.",
            "Breakfast was horrible.",
            "The view of the car park was ugly.",
            "It was noisy all night.",
        ),
    ),
}

# Topic: sentences with {name} and {day}.
TOPICS = {
    "sport": (
        "{name} scored two goals on {day}.",
        "Our team won the match on {day}.",
        "{name} trains for the race every {day}.",
        "The players lost the final on {day}.",
        "The coach chose {name} for the team on {day}.",
    ),
    "weather": (
        "Heavy rain is expected on {day}.",
        "It was sunny and warm when {name} woke up on {day}.",
        "A cold wind blew from the north on {day}.",
        "Thick snow fell in the hills on {day}.",
        "There was a storm and {name} saw lightning on {day}.",
    ),
    "food": (
        "{name} baked fresh bread on {day}.",
        "The soup needs more salt, said {name} on {day}.",
        "{name} fried eggs and onions on {day}.",
        "We had rice and fish for dinner on {day}.",
        "The cake that {name} made on {day} was sweet.",
    ),
    "music": (
        "{name} played the piano on {day}.",
        "The choir sang old songs on {day}.",
        "{name} plays the drums in a band every {day}.",
        "The orchestra tuned its violins on {day}.",
        "{name} wrote a new melody on {day}.",
    ),
    "health": (
        "{name} has a fever and saw the doctor on {day}.",
        "The nurse gave {name} some medicine on {day}.",
        "{name} had a bad cough on {day}.",
        "The dentist looked at my sore tooth on {day}.",
        "The hospital treated {name} for a broken arm on {day}.",
    ),
    "school": (
        "The pupils wrote a test on {day}.",
        "The teacher gave {name} some homework on {day}.",
        "{name} passed the exam on {day}.",
        "The class learned to spell on {day}.",
        "{name} forgot the homework on {day}.",
    ),
}

# A cause, what follows from it and what does not.
RESULTS = (
    ("dropped a glass on the stone floor", "the glass broke", "the glass melted"),
    ("left the ice in the sun", "the ice melted", "the ice caught fire"),
    ("forgot to water the plants for weeks", "the plants died", "the plants flew away"),
    ("walked in the rain without a coat", "the clothes got wet", "the clothes got lost"),
    ("left the bread in the oven for hours", "the bread burned", "the bread froze"),
    ("put the kettle on the hot stove", "the water boiled", "the water froze"),
    ("put a bottle of water in the freezer", "the water froze", "the water boiled"),
    ("forgot to set the alarm clock", "the day began too late", "the day began too early"),
    ("ran out of petrol on the road", "the car stopped", "the car went faster"),
    ("opened the cage of the bird", "the bird flew away", "the bird learned to read"),
    ("dropped a stone into the pond", "the stone sank", "the stone floated"),
    ("put a match to the dry paper", "the paper burned", "the paper got wet"),
    ("pushed a needle into the balloon", "the balloon burst", "the balloon grew"),
    ("left the gate open all night", "the dog ran away", "the dog grew wings"),
    ("pulled the plug of the lamp", "the lamp went out", "the lamp got brighter"),
    ("kicked the ball at the window", "the window broke", "the window opened politely"),
    ("left the milk out for a week", "the milk went sour", "the milk turned to stone"),
    ("washed the muddy boots", "the boots became clean", "the boots became dirty"),
)
# What happens to a person ({possessive} is filled in) and the feeling it brings.
FEELINGS = (
    ("won the first prize", "happy"),
    ("got a puppy from {possessive} parents", "happy"),
    ("heard that {possessive} old friend would visit", "happy"),
    ("passed the hardest exam", "happy"),
    ("lost {possessive} beloved dog", "sad"),
    ("had to say goodbye to {possessive} best friend", "sad"),
    ("heard that {possessive} grandmother had died", "sad"),
    ("found out that {possessive} new bicycle was stolen by a neighbour", "angry"),
    ("saw a stranger scratch {possessive} new car", "angry"),
    ("was cheated by the shopkeeper", "angry"),
    ("heard a wolf howl close by in the dark", "afraid"),
    ("stood in front of a roaring lion", "afraid"),
    ("heard footsteps in the empty house at night", "afraid"),
    ("worked all night without any sleep", "tired"),
    ("carried bricks from morning to evening", "tired"),
    ("walked thirty miles in one day", "tired"),
)


@dataclass(frozen=True)
class Errand:
    """Somebody went somewhere with somebody and bought something."""

    person: Person
    day: str
    place: str
    companion: str
    purchase: str
    vehicle: str

    def passage(self, form: int) -> str:
        """Tell the errand in one of three ways."""
        who, she, her = self.person.name, self.person.subject, self.person.possessive
        return (
            f"On {self.day} {who} went to the {self.place} with {her} {self.companion}. "
            f"There {she} bought a {self.purchase} and came home by {self.vehicle}.",
            f"{who} took a {self.vehicle} to the {self.place} on {self.day}. Together with {her} "
            f"{self.companion} {she} bought a {self.purchase}.",
            f"It was {self.day}, and {who} and {her} {self.companion} went by {self.vehicle} to "
            f"the {self.place}, where {who} bought a {self.purchase}.",
        )[form]


def draw_errand(rng: random.Random) -> Errand:
    """Draw an errand."""
    return Errand(
        person=rng.choice(PEOPLE),
        day=rng.choice(DAYS),
        place=rng.choice(ERRAND_PLACES),
        companion=rng.choice(COMPANIONS),
        purchase=rng.choice(PURCHASES),
        vehicle=rng.choice(VEHICLES_TAKEN),
    )


def draw_review(rng: random.Random, domain: str) -> tuple[str, bool]:
    """Draw a review of two or three sentences and whether it praises."""
    positive = rng.random() < 0.5
    praise, complaint = REVIEWS[domain]
    sentences = rng.sample(praise if positive else complaint, rng.choice((2, 3)))
    return " ".join(sentences), positive


def draw_topic(rng: random.Random) -> tuple[str, str]:
    """Draw a sentence and its topic."""
    topic = rng.choice(list(TOPICS))
    sentence = rng.choice(TOPICS[topic])
    return sentence.format(name=rng.choice(PEOPLE).name, day=rng.choice(DAYS)), topic
