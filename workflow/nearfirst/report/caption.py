"""What a figure's caption says of the config: the data as they are, the model, what was chosen."""

from nearfirst.config import Config
from nearfirst.figures.figure import Figure
from nearfirst.shape import shape_of


def caption(figure: Figure, config: Config) -> str:
    """Return the first sentences of a caption, with what this figure used.

    `{dataset}` stands for its data as they are, and other names in braces for what `_chosen` says;
    other braces stay. Sentences on data, model and seeds follow.
    """
    shown = figure.shown()
    datasets = {curve.label: curve.dataset for curve in shown}
    data = {name: config.data[name].described(name) for name in datasets.values()}
    text = figure.caption
    if len(data) == 1:
        text = text.replace("{dataset}", next(iter(data.values())))
    else:
        parts = [f"{label} is {data[name]}" for label, name in datasets.items()]
        text = f"{text} Data: {'; '.join(parts)}."
    for name, said in _chosen(figure, config).items():
        text = text.replace(f"{{{name}}}", said)
    made = {curve.label: curve.arrangement for curve in shown}
    for label, name in made.items():
        if row := config.checkpoints.get(name):
            text += f" {label} was trained elsewhere: {row.origin}."
    if {*made.values()} <= config.checkpoints.keys():
        return text
    return f"{text} Model: {model(config)}{_rate(figure, config)}. {config.seeds_vary}"


def model(config: Config) -> str:
    """Return which model is tuned: its size, and where it comes from."""
    its = config.model
    size = f", {its.parameters / 1e6:,.0f} million parameters" if its.parameters else ""
    if its.package:
        return f"that of the package {its.package.name} {its.package.version}{size}"
    if its.name:
        return f"{its.name}{size}"
    shape = shape_of(its, None)
    assert shape, "the size of a model that is pretrained here is known"
    return (
        f"a Llama of {shape.parameters / 1e6:.2f} million parameters, pretrained on generated text"
    )


def _rate(figure: Figure, config: Config) -> str:
    """Return the learning rate of a figure's runs, if they have the same."""
    runs = (
        config.training(curve.dataset, curve.arrangement)
        for curve in figure.shown()
        if curve.arrangement not in config.checkpoints
    )
    rates = {f", tuned at a rate of {run.learning_rate:g} ({run.schedule})" for run in runs}
    return rates.pop() if len(rates) == 1 else ""


def _chosen(figure: Figure, config: Config) -> dict[str, str]:
    """Return what the config chose of what captions speak of."""
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
