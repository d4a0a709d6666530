"""Captions: what a figure shows, which figure of the paper it follows, and its counts."""

import pandas as pd

from nearfirst.figures.plot.read import single_runs
from nearfirst.figures.plot.reward_sentences import GROUPS, count, sentences
from nearfirst.metrics import SCORE_NAMES

MAX_LISTED = 6
"""Names that a caption lists; of more it gives the number."""

_TMA = (
    "by the rounds of Test-centric Multi-turn Arrangement: the rounds in order (NFT), reversed "
    "(FFT), or the same instances shuffled (RT)."
)
_DIALOGUES = (
    "The paper shows single runs. Every answer of a dialogue counts; the test set is a seeded "
    "sample held out of training."
)
_TEST_SEEDS = (
    "Loss on one unseen task under round-robin, cluster and random order, one panel a seed of the "
    "test sample: the runs are the same in all panels, the task's test instances are not. The "
    "config names the task, or a rule picks it."
)

_SCORES = {"score": "scores", **SCORE_NAMES}
"""What a caption calls the quantities that are scores."""

_MEANT = {"fig1_scores": "score", "fig1_reward": "reward"}
"""What the words of a figure speak of, if it is not the loss."""

_OWN_LEVELS = "Levels cannot be compared between data sets: their test sets differ."

WORDS = {
    "fig1_scores": "ROUGE and Exact Match of generated answers on the unseen tasks of NIV2 while a "
    "model is tuned on NIV2 in random order. After Figure 1 (left), on a generalist test set, a "
    "seeded sample over all unseen tasks. The better score of several references counts, and ROUGE "
    "is the F-measure, as in the published code, unless the config says otherwise.",
    "fig1_reward": "Mean reward of generated answers on the unseen tasks of each data set while a "
    "model is tuned on that data set in random order. After Figure 1 (middle), on the generalist "
    "test sets. The reward model is the one that the config names, or a small one trained on "
    "generated pairs of a gold answer and a corrupted one; reward_accuracy.csv says how well it "
    f"tells them apart. {_OWN_LEVELS}",
    "fig1_loss": "Mean loss on the unseen tasks of each data set while a model is tuned on that "
    "data set in random order. After Figure 1 (right), on the generalist test sets, seeded samples "
    f"over all unseen tasks. {_OWN_LEVELS}",
    "fig2_permutations": "Loss on single unseen tasks while the training tasks come in turn "
    "(round-robin), one after another (cluster), or shuffled (random). After Figure 2; the config "
    "names the tasks, or a rule picks them.",
    "fig3_similarity": "Mean test loss with the training instances ordered by their weighted "
    "similarity distance (WSD) to the test set, nearest first (NFT) and farthest first (FFT), and "
    "with the same instances shuffled (RT). After Figure 3 (left), which shows single runs; an "
    "order by WSD has no seed.",
    "fig3_granularity": "Mean test loss, nearest first by weighted similarity distance, with whole "
    "tasks ordered by the distance of their mean embedding (coarse) and with each instance ordered "
    "by its own (fine). After Figure 3 (right), whose text does not say how the tasks are ordered.",
    "fig4_flan": f"Mean test loss on Flan-mini with the training instances ordered {_TMA} After "
    "Figure 4 (left), which shows single runs. The paper leaves the order inside a round open; the "
    "config says whether it is shuffled, as it is by default.",
    "fig4_sharegpt": f"Mean test loss on ShareGPT with the training dialogues ordered {_TMA} After "
    f"Figure 4 (middle). {_DIALOGUES}",
    "fig4_mine": f"Mean test loss on the data of data.mine with the training conversations ordered "
    f"{_TMA} After Figure 4, on data of one's own: the test set is the file that the config names, "
    "or a seeded part of the pool that is held out of training.",
    "fig4_norobots": f"Mean test loss on NoRobots with the training dialogues ordered {_TMA} After "
    f"Figure 4 (right). {_DIALOGUES}",
    "fig5_rounds": "Mean test loss when a model is tuned on the instances of a few neighbouring "
    "rounds of Test-centric Multi-turn Arrangement and on nothing else; rounds are counted from "
    "zero, nearest first. After Figure 5. Rounds differ in how many instances they hold, so curves "
    "may end at different steps.",
    **{
        name: f"Rewards of right and of wrong answers on the unseen tasks of {dataset}, right "
        f"being an Exact Match, while a model is tuned on {dataset} in random order. After "
        f"Figure 6 ({place}). The overlap is the area under the lower of both densities, the AUC "
        "the share of pairs of a right and a wrong answer in which the right one has the higher "
        "reward; intervals resample test instances, whose answers belong together."
        for name, dataset, place in (
            ("fig6_niv2", "NIV2", "left"),
            ("fig6_flan", "Flan-mini", "middle"),
            ("fig6_p3", "P3", "right"),
        )
    },
    "fig7_seeds": f"{_TEST_SEEDS} After Figure 7, where the loss falls steeply under some seeds "
    "and slowly under another.",
    "fig8_seeds": f"{_TEST_SEEDS} After Figure 8, where the sudden fall in cluster order is gone "
    "under one of the seeds.",
    "fig9_seeds": f"{_TEST_SEEDS} After Figure 9, where the loss goes up and down under some seeds "
    "and is steady under another.",
    "fig10_seeds": f"{_TEST_SEEDS} After Figure 10, where the lowest loss differs much between the "
    "seeds.",
    "fig11_scaled": "Loss on one unseen task in cluster order (left axis), and how far the "
    "training data seen so far are from its test instances (right axis): the minimum cosine "
    "distance, and the average one scaled to the same mean over the checkpoints (Eq. 14). One "
    "panel a seed of the test sample. After Figure 11. At step zero nothing is seen, so "
    "distances begin with the checkpoint after it.",
    "fig12_selection": "Mean test loss with training sets of about one size, chosen by rounds of "
    "Test-centric Multi-turn Arrangement from the full pool: the first rounds (MIN), the last ones "
    "(MAX), or half of each, nearest first (NFT), farthest first (FFT) and shuffled (RT). After "
    "Figure 12. NFT, FFT and RT hold the same instances; MIN and MAX each hold others.",
    "nine_similarities": "Loss on one unseen task, and nine measures of how far the training data "
    "seen so far are from its test instances: minimum, maximum, average and centroid of cosine and "
    "of Euclidean distance, and the divergence of n-grams. After the figure of Section B.4. "
    "Embeddings have length one, so minimum and maximum say the same in both distances. The "
    "divergence is a sum over different n-grams (Eq. 12) unless the config asks for occurrences, "
    "as in the published code.",
    "loss_types": "Unseen tasks by the way their loss falls. After the case study of Section A.6, "
    "where tasks were chosen by hand; here they are sorted by the share of their whole fall that "
    "they reach early, and those that fall most are drawn.",
    "similarity_vs_loss": "Does similarity predict loss? Spearman's rank correlation of each of "
    "the nine measures with the loss on unseen tasks: over all runs, tasks and checkpoints at once "
    "(pooled), along each run for each task (over checkpoints), and across tasks at each "
    "checkpoint (over tasks). Beyond the paper, which leaves the question open. Right of zero, "
    "nearer data go with a lower loss.",
}


def caption(name: str, table: pd.DataFrame, series: str = "arrangement") -> str:
    """Return the caption of a figure as one paragraph of plain text.

    Parameters
    ----------
    name
        The figure; one that the paper does not have gets general words.
    table
        Its numbers: all counts in the caption come from them.
    series
        The column that tells the curves of a panel apart.
    """
    if "statistic" in table:
        general = f"{name}: correlation of each measure with the loss."
        facts = facts_of_correlations(table)
    elif "what" in table:
        general = f"{name}: reward of right and of wrong answers."
        facts = facts_of_rewards(table)
    else:
        quantities = ", ".join(_SCORES.get(name, name) for name in dict.fromkeys(table["quantity"]))
        general = f"{name}: {quantities} against the training step, one curve for each {series}."
        facts = facts_of_curves(table, series)
    return " ".join([_words(name, general, table), *facts])


def _words(name: str, general: str, table: pd.DataFrame) -> str:
    """Return what a figure is about, in the metric that it shows."""
    words = WORDS.get(name, general)
    shown = list(dict.fromkeys(table.get("quantity", [])))
    if not shown or _MEANT.get(name, "loss") in shown:
        return words
    if words.startswith(begin := "Mean test loss"):
        what = " and ".join(_SCORES.get(quantity, quantity) for quantity in shown)
        return f"Mean test {what}{words.removeprefix(begin)} The paper shows the loss."
    return general


def facts_of_curves(table: pd.DataFrame, series: str) -> list[str]:
    """Return what a caption says of curves: seeds, test instances, tasks, last step."""
    facts = []
    one = table["n"] == 1
    if one.all():
        facts.append("Each curve is one run, without an interval.")
    else:
        seeds = f"{_span(table.loc[~one, 'n'])} seeds"
        facts.append(f"Curves are means over {seeds}, bands their {_level(table)} intervals.")
        if single_runs(table):
            facts.append("Thin lines are single runs; a band may extend beyond its panel.")
        if one.any():
            facts.append(f"One run, without an interval: {_listed(table.loc[one, series])}.")
    if "instances" in table:
        facts.append(f"Test instances per curve: {_span(table['instances'])}.")
    if table.get("left_out", pd.Series()).max() > 0:
        lost = "Test instances left out because truncation removed their answer"
        if not _SCORES.keys().isdisjoint(table["quantity"]):
            lost += " or they have no reference"
        facts.append(f"{lost}: {_span(table['left_out'])}.")
    if "task" in table and (tasks := table.loc[table["task"] != "", "task"]).size:
        facts.append(f"Unseen tasks shown: {_listed(tasks)}.")
    facts.append(f"Last step: {_span(table.groupby(['panel', series])['step'].max())}.")
    return facts


def facts_of_correlations(table: pd.DataFrame) -> list[str]:
    """Return what a caption says of correlations."""
    facts = [f"Bars are {_level(table)} bootstrap intervals.", f"Tasks: {_span(table['n'])}."]
    for column, what in (
        ("runs", "Runs"),
        ("checkpoints", "Checkpoints of a run"),
        ("left_out", "Series left out because all their distances or losses are equal"),
    ):
        facts.append(f"{what}: {_span(table[column])}.")
    return facts


def facts_of_rewards(table: pd.DataFrame) -> list[str]:
    """Return what a caption says of rewards of right and of wrong answers."""
    instances, seeds, checkpoints, left_out = (
        count(table, "both", what) for what in ("instances", "seeds", "checkpoints", "left_out")
    )
    size = sum(count(table, group, "count") for group in GROUPS)
    return [
        f"{size:,} answers of {seeds} runs at {checkpoints} checkpoints to {instances:,} test "
        f"instances; {left_out:,} instances without a score or a reward are left out.",
        *(f"{text[0].upper()}{text[1:]}." for text in sentences(table)),
    ]


def _level(table: pd.DataFrame) -> str:
    return f"{100 * table['confidence'].max():g}%"


def _listed(values: "pd.Series[str]") -> str:
    """Return the different values, or their number if there are many."""
    names = list(dict.fromkeys(values))
    return ", ".join(names) if len(names) <= MAX_LISTED else str(len(names))


def _span(values: "pd.Series[float]") -> str:
    """Return a whole number, or the lowest and the highest of several."""
    low, high = f"{values.min():.0f}", f"{values.max():.0f}"
    return low if low == high else f"{low} to {high}"
