"""The registry of the paper's claims: what each needs, and the test that decides it.

Each row is written before anyone looks at the results that it concerns, and never changed later.
"""

from collections.abc import Mapping
from functools import partial

from nearfirst.takeaways.subjects import (
    Claim,
    Config,
    Pattern,
    Subjects,
    all_curves,
    each_curve,
    metric_table,
    orders,
    rounds,
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
            partial(orders, roles=roles, held_out=held_out),
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
        partial(each_curve, kind=kind, or_table=True),
        "early",
        {"metric": metric, "paper_step": paper_step},
        metrics=(metric,),
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
        partial(each_curve, kind="loss-types"),
        "early_tasks",
        {"paper_step": 50},
    ),
    *(
        Claim(
            f"steady-{metric}",
            2,
            f"The loss has less noise, relative to its change, than {title}",
            metric_table,
            "steadier",
            {"metric": metric},
            metrics=("loss", metric),
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
        metric_table,
        "fairer",
        metrics=("loss", "reward"),
    ),
    Claim(
        "reward-blind",
        2,
        "The reward does not tell right from wrong answers (AUC near one half)",
        partial(each_curve, kind="rewards"),
        "tells_apart",
        metrics=("exact_match", "reward"),
    ),
    Claim(
        "sudden-falls",
        3,
        "A task's largest fall in one checkpoint is larger in cluster order than at random",
        partial(orders, roles={"cluster": CLUSTER, "random": RANDOM}),
        "sudden",
    ),
    Claim(
        "round-robin",
        3,
        "Tasks in turn (round-robin) have the same mean loss as random order, over the run",
        partial(orders, roles={"round-robin": ROUND_ROBIN, "random": RANDOM}, held_out=False),
        "equivalence",
        {"window": "run"},
    ),
    Claim(
        "follows-minimum",
        3,
        "In cluster order, a task's loss falls when its least distance (Cosine-Min) falls",
        partial(orders, roles={"cluster": CLUSTER}),
        "follows",
        {"measure": "cosine-min"},
        with_similarity=True,
    ),
    Claim(
        "cosine-euclidean",
        3,
        "Cosine and Euclidean distances go equally well with the loss, between orders",
        partial(all_curves, kind="prediction"),
        "same_correlation",
        {
            "pairs": [
                (f"cosine-{operation}", f"euclidean-{operation}")
                for operation in ("min", "max", "avg", "centroid")
            ]
        },
        with_similarity=True,
    ),
    Claim(
        "ngram-blind",
        3,
        "The divergence of n-grams does not go with the loss, between orders",
        partial(all_curves, kind="prediction"),
        "no_correlation",
        {"measure": "ngram-kl"},
        with_similarity=True,
    ),
    Claim(
        "test-samples",
        3,
        "Another sample of a task's test instances changes the shape of its loss curve",
        partial(all_curves, kind="tasks", several_tests=True),
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
        partial(orders, roles={"NFT": BOTH_NEAREST, "MIN": MIN}),
        "equivalence",
        {"window": "run"},
    ),
    Claim(
        "budget-max-first",
        5,
        "Far then near rounds (FFT) equal far ones only (MAX) in the first half",
        partial(orders, roles={"FFT": BOTH_FARTHEST, "MAX": MAX}),
        "equivalence",
        {"window": "first half"},
    ),
    Claim(
        "budget-max-second",
        5,
        "Far then near rounds (FFT) have a lower loss than MAX in the second half",
        partial(orders, roles={"FFT": BOTH_FARTHEST, "MAX": MAX}),
        "difference",
        {"window": "second half"},
    ),
    Claim(
        "budget-random",
        5,
        "The same rounds shuffled lie between NFT and FFT (the weaker difference counts)",
        partial(orders, roles={"NFT": BOTH_NEAREST, "RT": BOTH_RANDOM, "FFT": BOTH_FARTHEST}),
        "between",
        {"window": "run"},
    ),
    Claim(
        "rounds",
        6,
        "Tuned on a few rounds alone: the later the rounds, the higher a task's loss",
        rounds,
        "trend",
    ),
]
BY_NAME = {claim.name: claim for claim in CLAIMS}


def subjects(config: Config) -> Subjects:
    """Return what every claim is tested on, claim by claim, using the runs that a config trains."""
    figures = {
        name: figure
        for name, figure in config.figures.items()
        if not any(curve.arrangement in config.checkpoints for curve in figure.shown())
    }
    config = config.model_copy(update={"figures": figures})
    found = [subject for claim in CLAIMS for subject in subjects_of(claim, config)]
    return Subjects(subjects=found)
