"""The world that tasks and prose talk about: people, things and facts.

A thing stands in one category and has one fact of a kind, so that a question about it has one
answer.
"""

from dataclasses import dataclass

from .wording import word_list


@dataclass(frozen=True)
class Person:
    """A first name and the pronouns that go with it."""

    name: str
    subject: str
    possessive: str


PEOPLE = tuple(
    [
        Person(name, "she", "her")
        for name in word_list(
            "Anna Maria Lucy Emma Sara Nina Julia Clara Rosa Helen Kate Laura Alice Irene Olga Vera"
        )
    ]
    + [
        Person(name, "he", "his")
        for name in word_list(
            "Tom Ben Paul David Peter Mark Leo Jack Adam Martin Oscar Simon Hugo Felix Victor Ivan"
        )
    ]
)
SURNAMES = word_list(
    "Smith Brown Taylor Baker Wood Hill Green Cook Miller Stone Carter Walker Hunt Marsh Young Ford"
)

DAYS = word_list("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
MONTHS = word_list(
    "January February March April May June July August September October November December"
)
EVENTS = word_list(
    "concert party meeting lesson match wedding exam race festival picnic parade lecture"
)
PLACES = word_list(
    "market park station library school beach museum bakery garden harbour office theatre castle "
    "hospital bridge farm"
)
ERRAND_PLACES = word_list("market station museum harbour castle fair village beach airport theatre")
COMPANIONS = word_list("brother sister uncle aunt cousin friend neighbour grandfather")
VEHICLES_TAKEN = word_list("bus train car bicycle taxi boat tram")
# Each takes the article "a".
PURCHASES = word_list(
    "red scarf,small lamp,new hat,blue cup,warm coat,paper map,green bag,wooden box,white shirt,"
    "silver ring,long rope,round mirror,soft pillow,yellow kite",
    ",",
)
COUNTABLES = word_list(
    "apple book pen ball cup coin shell egg ticket stamp flower cake card button pear orange lemon "
    "stone candle biscuit"
)

CATEGORIES = {
    "fruit": word_list("apple pear banana plum cherry peach lemon melon"),
    "vegetable": word_list("carrot onion potato cabbage leek turnip radish cucumber"),
    "bird": word_list("sparrow eagle owl duck swan robin crow pigeon"),
    "fish": word_list("salmon trout herring shark cod tuna"),
    "insect": word_list("ant bee moth beetle wasp butterfly grasshopper"),
    "mammal": word_list("dog cat horse cow sheep lion elephant rabbit bear"),
    "tool": word_list("hammer saw drill spade axe wrench"),
    "piece of furniture": word_list("chair table bed sofa desk wardrobe armchair"),
    "piece of clothing": word_list("shirt coat hat scarf sock dress jacket"),
    "musical instrument": word_list("piano violin drum flute guitar trumpet harp"),
    "vehicle": word_list("car bus truck bicycle van tram motorcycle"),
    "flower": word_list("rose tulip daisy lily violet sunflower"),
    "sport": word_list("tennis football hockey golf rugby boxing"),
}
# Words that take no article.
UNCOUNTED = frozenset(CATEGORIES["sport"])
CATEGORY_PLURALS = {
    "fruit": "fruits",
    "fish": "fish",
    "piece of furniture": "pieces of furniture",
    "piece of clothing": "pieces of clothing",
}

ANIMALS_BY_WEIGHT = word_list("mouse hen cat goat lion horse elephant")

ANIMAL_SOUNDS = {
    "dog": "barks",
    "cat": "meows",
    "cow": "moos",
    "sheep": "bleats",
    "horse": "neighs",
    "duck": "quacks",
    "lion": "roars",
    "snake": "hisses",
    "bee": "buzzes",
    "wolf": "howls",
    "owl": "hoots",
    "pig": "grunts",
    "frog": "croaks",
    "mouse": "squeaks",
    "hen": "clucks",
    "crow": "caws",
    "elephant": "trumpets",
    "bear": "growls",
    "pigeon": "coos",
    "donkey": "brays",
    "sparrow": "chirps",
    "goose": "honks",
}
COLOURS = {  # a thing as the subject of a sentence: its usual colour
    "fresh snow": "white",
    "fresh grass": "green",
    "a fire engine": "red",
    "a clear sky": "blue",
    "coal": "black",
    "a lemon": "yellow",
    "a carrot": "orange",
    "milk": "white",
    "a ripe banana": "yellow",
    "a ripe tomato": "red",
    "a ripe strawberry": "red",
    "chocolate": "brown",
    "a crow": "black",
    "a flamingo": "pink",
    "a sunflower": "yellow",
    "an elephant": "grey",
    "a cucumber": "green",
    "salt": "white",
    "ash": "grey",
    "a polar bear": "white",
    "spinach": "green",
    "tar": "black",
}
MATERIALS = {
    "window": "glass",
    "tyre": "rubber",
    "newspaper": "paper",
    "nail": "iron",
    "brick": "clay",
    "saddle": "leather",
    "jumper": "wool",
    "candle": "wax",
    "plank": "wood",
    "mirror": "glass",
    "envelope": "paper",
    "belt": "leather",
    "anchor": "iron",
    "log": "wood",
    "flowerpot": "clay",
    "balloon": "rubber",
    "mitten": "wool",
    "crayon": "wax",
    "notebook": "paper",
    "horseshoe": "iron",
    "wallet": "leather",
    "light bulb": "glass",
}
TOOL_USERS = {  # tool: the worker who uses it
    "saw": "carpenter",
    "brush": "painter",
    "comb": "barber",
    "stethoscope": "doctor",
    "frying pan": "cook",
    "spade": "gardener",
    "camera": "photographer",
    "tractor": "farmer",
    "blackboard": "teacher",
    "needle": "tailor",
    "net": "fisher",
    "fire hose": "firefighter",
    "bread oven": "baker",
    "tray": "waiter",
    "letter bag": "mail carrier",
    "cleaver": "butcher",
    "telescope": "astronomer",
    "baton": "conductor",
    "gavel": "judge",
    "wrench": "mechanic",
    "broom": "cleaner",
}
CAPITALS = {
    "France": "Paris",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Germany": "Berlin",
    "Greece": "Athens",
    "Japan": "Tokyo",
    "Egypt": "Cairo",
    "Russia": "Moscow",
    "China": "Beijing",
    "Poland": "Warsaw",
    "Austria": "Vienna",
    "Portugal": "Lisbon",
    "Sweden": "Stockholm",
    "Norway": "Oslo",
    "Finland": "Helsinki",
    "Ireland": "Dublin",
    "Hungary": "Budapest",
    "Peru": "Lima",
    "Cuba": "Havana",
    "Kenya": "Nairobi",
    "Canada": "Ottawa",
    "Belgium": "Brussels",
}
