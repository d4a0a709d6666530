"""Runs that were trained elsewhere are measured like others, and nothing is trained."""

import pytest
from checkout import Checkout, copy_project

COMMITS = {step: f"{step:040x}" for step in (0, 1000)}
CONFIG = f"""
checkpoints:
  theirs: {{path: "runs/checkpoint-{{step}}"}}
  suite: {{source: hub, name: someone/suite, steps: {COMMITS}}}
figures:
  losses: {{like: fig4_flan, curves: {{A: theirs, B: suite}}, reference: A}}
  answers: {{like: losses, metric: rougeL}}
  task: {{like: losses, metric: "lm_eval:arc_easy:acc_norm"}}
  beside: {{like: losses, curves: {{A: theirs, RT: random}}}}
"""
DRAWN = {"sample": 1, "gather_checkpoints": 2, "fetch": 2, "curves": 1, "compare": 1, "plot": 1}
DATA = {"generate_corpus": 1}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = copy_project(tmp_path_factory.mktemp("elsewhere"))
    checkout.append_to_config(CONFIG)
    for step in (10, 20):
        folder = checkout.folder / f"runs/checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").touch()
        (folder / "optimizer.pt").touch()
    return checkout


def test_nothing_is_trained(checkout: Checkout) -> None:
    answers = {"generate": 2, "score": 2}
    assert checkout.would_run("results/losses.pdf") == {**DATA, **DRAWN, "evaluate": 2}
    assert checkout.would_run("results/answers.pdf") == {**DATA, **DRAWN, **answers}
    rest = {name: count for name, count in DRAWN.items() if name != "sample"}
    assert checkout.would_run("results/task.pdf") == {**rest, "harness": 2}
    beside = checkout.would_run("results/beside.pdf")
    assert (beside["train"], beside["gather_checkpoints"]) == (beside["evaluate"] - 1, 1)
