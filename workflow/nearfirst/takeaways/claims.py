"""The registry of the paper's claims: what each needs, and the test that decides it.

Each row is written before anyone looks at the results that it concerns, and never changed later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nearfirst.takeaways.subjects import (
    AllCurves,
    Config,
    EachCurve,
    MetricTable,
    Needs,
    Orders,
    Pattern,
    Rounds,
    Subject,
    subjects_of,
)

TAKEAWAYS = {
    1: "Generalization comes early, whatever the metric",
    2: "The loss is a steady and fair measure of it",
    3: "Seeing similar data early helps",
    4: "Arranging instances beats arranging whole tasks",
    5: "Test-centric Multi-turn Arrangement (TMA) helps, with and without tasks",
    6: "The earlier a round of TMA, the more it helps",
}


@dataclass(frozen=True)
class Claim:
    """A claim of the paper and its registered test.

    Attributes
    ----------
    statement
        What must hold for the claim to be confirmed.
    test
        The name of a function in `verdicts.TESTS`, called with the `options`.
    primary
        Whether Holm's correction covers it; other rows are supplementary.
    """

    name: str
    takeaway: int
    statement: str
    needs: Needs
    test: str
    options: Mapping[str, Any] = field(default_factory=dict)
    primary: bool = True


RANDOM: Pattern = {"method": "random"}
ROUND_ROBIN: Pattern = {"method": "round-robin"}
CLUSTER: Pattern = {"method": "cluster"}
WSD: Pattern = {"method": "wsd"}
WSD_FARTHEST: Pattern = {"method": "wsd", "order": "farthest"}
WSD_TASKS: Pattern = {"method": "wsd", "granularity": "task"}
TMA: Pattern = {"method": "tma"}
TMA_FARTHEST: Pattern = {"method": "tma", "order": "farthest"}
BOTH_NEAREST: Pattern = {"method": "tma", "budget": ...}
BOTH_RANDOM: Pattern = {"method": "tma", "budget": ..., "order": "random"}
BOTH_FARTHEST: Pattern = {"method": "tma", "budget": ..., "order": "farthest"}
MIN: Pattern = {"method": "tma", "budget": ..., "select": "first"}
MAX: Pattern = {"method": "tma", "budget": ..., "select": "last", "order": "farthest"}
TMA_NEAREST_VS_RANDOM = {"nearest first by TMA": TMA, "random order": RANDOM}
RANDOM_VS_TMA_FARTHEST = {"random order": RANDOM, "farthest first by TMA": TMA_FARTHEST}


def lower(
    name: str, takeaway: int, roles: Mapping[str, Pattern], held_out: bool | None = None
) -> list[Claim]:
    """Claim that the first of two orders has the lower loss, over the run and at its end."""
    ours, theirs = roles
    on = {None: "", True: " (dialogues)", False: " (unseen tasks)"}[held_out]
    return [
        Claim(
            f"{name}-{window}",
            takeaway,
            f"{ours[0].upper()}{ours[1:]} has a lower test loss than {theirs}{on}, {where}",
            Orders(roles, held_out),
            "difference",
            {"window": window},
            primary=window == "run",
        )
        for window, where in (("run", "over the run"), ("end", "at its end"))
    ]


def early(name: str, kind: str, metric: str, title: str, paper_step: int) -> Claim:
    """Claim that a metric makes most of its change early."""
    return Claim(
        f"early-{name}",
        1,
        f"{title} makes 90% of its change by the paper's step {paper_step}, scaled to this run",
        EachCurve(kind, or_table=True, metrics=(metric,)),
        "early",
        {"metric": metric, "paper_step": paper_step},
    )


CLAIMS = [
    early("rouge1", "metrics", "rouge1", "ROUGE-1", 10),
    early("rougeL", "metrics", "rougeL", "ROUGE-L", 10),
    early("exact-match", "metrics", "exact_match", "Exact Match", 10),
    early("reward", "datasets", "reward", "The mean reward", 50),
    early("loss", "datasets", "loss", "The mean loss", 50),
    Claim(
        "early-tasks",
        1,
        "Most unseen tasks make 90% of their fall by the paper's step 50, scaled to this run",
        EachCurve("loss-types"),
        "early_tasks",
        {"paper_step": 50},
    ),
    *(
        Claim(
            f"steady-{metric}",
            2,
            f"The loss has less noise, relative to its change, than {title}",
            MetricTable(metrics=("loss", metric)),
            "steadier",
            {"metric": metric},
        )
        for metric, title in (
            ("rouge1", "ROUGE-1"),
            ("rougeL", "ROUGE-L"),
            ("exact_match", "Exact Match"),
            ("reward", "the reward"),
        )
    ),
    Claim(
        "fair-loss",
        2,
        "Data sets differ less in loss than in reward (share of the variance of instances)",
        MetricTable(metrics=("loss", "reward")),
        "fairer",
    ),
    Claim(
        "reward-blind",
        2,
        "The reward does not tell right from wrong answers (AUC near one half)",
        EachCurve("rewards", metrics=("exact_match", "reward")),
        "tells_apart",
    ),
    Claim(
        "sudden-falls",
        3,
        "A task's largest fall in one checkpoint is larger in cluster order than at random",
        Orders({"cluster": CLUSTER, "random": RANDOM}),
        "sudden",
    ),
    Claim(
        "round-robin",
        3,
        "Tasks in turn (round-robin) have the same mean loss as random order, over the run",
        Orders({"round-robin": ROUND_ROBIN, "random": RANDOM}, held_out=False),
        "equivalence",
        {"window": "run"},
    ),
    Claim(
        "follows-minimum",
        3,
        "In cluster order, a task's loss falls when its least distance (Cosine-Min) falls",
        Orders({"cluster": CLUSTER}, with_similarity=True),
        "follows",
        {"measure": "cosine-min"},
    ),
    Claim(
        "cosine-euclidean",
        3,
        "Cosine and Euclidean distances go equally well with the loss, between orders",
        AllCurves("prediction", with_similarity=True),
        "same_correlation",
        {
            "pairs": [
                (f"cosine-{operation}", f"euclidean-{operation}")
                for operation in ("min", "max", "avg", "centroid")
            ]
        },
    ),
    Claim(
        "ngram-blind",
        3,
        "The divergence of n-grams does not go with the loss, between orders",
        AllCurves("prediction", with_similarity=True),
        "no_correlation",
        {"measure": "ngram-kl"},
    ),
    Claim(
        "test-samples",
        3,
        "Another sample of a task's test instances changes the shape of its loss curve",
        AllCurves("tasks", several_tests=True),
        "samples_differ",
    ),
    *lower("wsd-near", 3, {"nearest first by WSD": WSD, "random order": RANDOM}),
    *lower("wsd-far", 3, {"random order": RANDOM, "farthest first by WSD": WSD_FARTHEST}),
    *lower("fine", 4, {"WSD of instances": WSD, "WSD of whole tasks": WSD_TASKS}),
    *lower("tma-near-tasks", 5, TMA_NEAREST_VS_RANDOM, held_out=False),
    *lower("tma-far-tasks", 5, RANDOM_VS_TMA_FARTHEST, held_out=False),
    *lower("tma-near-dialogues", 5, TMA_NEAREST_VS_RANDOM, held_out=True),
    *lower("tma-far-dialogues", 5, RANDOM_VS_TMA_FARTHEST, held_out=True),
    *lower("tma-wsd", 5, {"nearest first by TMA": TMA, "nearest first by WSD": WSD}),
    Claim(
        "budget-min",
        5,
        "Near then far rounds (NFT) have the same mean loss as near ones only (MIN)",
        Orders({"NFT": BOTH_NEAREST, "MIN": MIN}),
        "equivalence",
        {"window": "run"},
    ),
    Claim(
        "budget-max-first",
        5,
        "Far then near rounds (FFT) equal far ones only (MAX) in the first half",
        Orders({"FFT": BOTH_FARTHEST, "MAX": MAX}),
        "equivalence",
        {"window": "first half"},
    ),
    Claim(
        "budget-max-second",
        5,
        "Far then near rounds (FFT) have a lower loss than MAX in the second half",
        Orders({"FFT": BOTH_FARTHEST, "MAX": MAX}),
        "difference",
        {"window": "second half"},
    ),
    Claim(
        "budget-random",
        5,
        "The same rounds shuffled lie between NFT and FFT (the weaker difference counts)",
        Orders({"NFT": BOTH_NEAREST, "RT": BOTH_RANDOM, "FFT": BOTH_FARTHEST}),
        "between",
        {"window": "run"},
    ),
    Claim(
        "rounds",
        6,
        "Tuned on a few rounds alone: the later the rounds, the higher a task's loss",
        Rounds(),
        "trend",
    ),
]
BY_NAME = {claim.name: claim for claim in CLAIMS}


def subjects(config: Config) -> list[Subject]:
    """Return what every claim is tested on, claim by claim, using the runs that a config trains."""
    figures = {
        name: figure
        for name, figure in config.figures.items()
        if not any(curve.arrangement in config.checkpoints for curve in figure.shown())
    }
    config = config.model_copy(update={"figures": figures})
    return [subject for claim in CLAIMS for subject in subjects_of(claim.name, claim.needs, config)]
