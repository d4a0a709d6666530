"""An edit to generation, scores or rewards reruns only these, and never training."""

import pytest
from checkout import Checkout

TARGETS = ("results/fig1_scores.pdf", "results/fig6_flan.pdf")
# The answers of one run on NIV2 and of one on Flan-mini are scored; only the latter have rewards.
DISTRIBUTION = {"reward_distribution": 1}
REWARDED = {"reward": 1, **DISTRIBUTION, "plot": 1}
SCORED = {"score": 2, **DISTRIBUTION, "curves": 1, "plot": 2}
ANSWERED = {"generate": 2, "reward": 1, **SCORED}

CHANGES = {
    "generate={temperature: 1.0}": ANSWERED,
    "generate={seed: 1}": ANSWERED,
    "template={max_length: 200}": {"train": 2, **ANSWERED},
    "scores={stemming: false}": SCORED,
    "scores={tokenizer: model}": SCORED,
    "reward={scoring: {batch_tokens: 512}}": REWARDED,
    "reward={text: {max_length: 300}}": {"train_reward": 1, **REWARDED},
    "reward={training: {epochs: 2}}": {"train_reward": 1, **REWARDED},
    "reward={preferences: {seed: 1}}": {"preferences": 1, "train_reward": 1, **REWARDED},
    "distribution={bins: 10}": {**DISTRIBUTION, "plot": 1},
    "curves={confidence: 0.9}": {"curves": 1, "plot": 1},
    "evaluate={average: 2}": ANSWERED,
    "look={width: 6}": {"plot": 2},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_config_value_reruns_exactly_its_stages(
    everything: Checkout, change: str
) -> None:
    assert everything.would_run(*TARGETS, "--config", change) == CHANGES[change]


def test_other_values_rerun_nothing(everything: Checkout) -> None:
    # The last changes only where and in which batches.
    changes = (
        "stability={end_checkpoints: 2}",
        "evaluate={batch_tokens: 1024}",
        "hardware={generate: {batch_size: 3, memory_mb: 1600}, reward: {minutes: 20}}",
    )
    assert everything.would_run(*TARGETS, "--config", *changes) == {}


def test_a_new_metric_costs_no_new_generation(everything: Checkout) -> None:
    change = "figures={fig1_scores: {metrics: [reward]}}"
    # The reward of NIV2's answers exists already, for Figure 6.
    jobs = everything.would_run("results/fig1_scores.pdf", "--config", change)
    assert jobs == {"curves": 1, "plot": 1}


def test_generalization_takes_any_metric(everything: Checkout) -> None:
    change = "generalization={performance: rouge1, threshold: 0.2}"
    jobs = everything.would_run("results/generalization.csv", "--config", change)
    # Three figures on their own test sets; Flan-mini's random order is shared.
    assert jobs == {"generate": 7, "score": 7, "generalization": 1}
