"""Captions of figures, with the data, the model and the choices of the config."""

from nearfirst.config import Config
from nearfirst.figures.figure import Figure
from nearfirst.shape import shape_of


def caption(figure: Figure, config: Config) -> str:
    """Return the first sentences of a caption, with what this figure used.

    `{dataset}` and the names of `_placeholders` in braces are filled in; other braces stay.
    Sentences on data, model and seeds follow.
    """
    shown = figure.shown()
    datasets = {curve.label: curve.dataset for curve in shown}
    descriptions = {name: config.data[name].described(name) for name in datasets.values()}
    text = figure.caption
    if len(descriptions) == 1:
        text = text.replace("{dataset}", next(iter(descriptions.values())))
    else:
        parts = [f"{label} is {descriptions[name]}" for label, name in datasets.items()]
        text = f"{text} Data: {'; '.join(parts)}."
    for name, words in _placeholders(figure, config).items():
        text = text.replace(f"{{{name}}}", words)
    arrangements = {curve.label: curve.arrangement for curve in shown}
    for label, name in arrangements.items():
        if row := config.checkpoints.get(name):
            text += f" {label} was trained elsewhere: {row.origin}."
    if {*arrangements.values()} <= config.checkpoints.keys():
        return text
    return f"{text} Model: {model(config)}{_rate(figure, config)}. {config.seeds_vary}"


def model(config: Config) -> str:
    """Return which model is tuned: its origin and size."""
    row = config.model
    size = f", {row.parameters / 1e6:,.0f} million parameters" if row.parameters else ""
    if row.package:
        return f"that of the package {row.package.name} {row.package.version}{size}"
    if row.name:
        return f"{row.name}{size}"
    shape = shape_of(row, None)
    assert shape, "the size of a model that is pretrained here is known"
    return (
        f"a Llama of {shape.parameters / 1e6:.2f} million parameters, pretrained on generated text"
    )


def _rate(figure: Figure, config: Config) -> str:
    """Return the learning rate of a figure's runs, if it is the same for all."""
    runs = (
        config.training(curve.dataset, curve.arrangement)
        for curve in figure.shown()
        if curve.arrangement not in config.checkpoints
    )
    rates = {f", tuned at a rate of {run.learning_rate:g} ({run.schedule})" for run in runs}
    return rates.pop() if len(rates) == 1 else ""


def _placeholders(figure: Figure, config: Config) -> dict[str, str]:
    """Return the words for each placeholder of captions, according to the config."""
    rows = (config.arrangements.get(curve.arrangement) for curve in figure.shown())
    within = {row.within_round for row in rows if row and hasattr(row, "within_round")}
    order = {"shuffle": "it is shuffled", "pool": "it is that of the pool"}
    rouge = {
        "fmeasure": "ROUGE is the F-measure of stems, as in the published code",
        "paper": "ROUGE-1 is recall and ROUGE-L an F-measure, by the paper's formulas",
    }
    reward = config.reward.name
    return {
        "rouge": rouge[config.scores.rouge],
        "reward_model": f"The reward model is {reward}."
        if reward
        else "The reward model is a small one, trained on pairs of a gold answer and a corrupted "
        "one; reward_accuracy.csv shows how well it tells them apart.",
        "tasks": "The config names the tasks."
        if getattr(figure, "tasks", None)
        else "The tasks are evenly spread ones in order of name.",
        "within_round": " and ".join(order[name] for name in sorted(within)),
        "ngrams": "occurrences of n-grams, as in the published code"
        if config.similarity.counting == "occurrences"
        else "different n-grams (Eq. 12)",
    }
