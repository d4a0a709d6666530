"""Instruction tuning: against a loop by hand, cut into segments, and what is refused."""

import json
import math
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from files import contents
from training import Weights, alternate_lengths, difference, train, weights
from transformers import AutoModelForCausalLM

from nearfirst.common.errors import InputError
from nearfirst.common.files import sha256
from nearfirst.common.parquet import write_table
from nearfirst.model import checkpoints, load
from nearfirst.model.adapter_settings import AdapterSettings
from nearfirst.model.template import IGNORED, Tokens, encode
from nearfirst.train import batches, resume, segment
from nearfirst.train.checksums import read_checksums
from nearfirst.train.settings import TrainSettings

Tune = Callable[..., tuple[Path, Path]]

RUN = TrainSettings(learning_rate=1e-3, batch_size=8, checkpoint_every=1)


def steps(folder: Path) -> list[int]:
    return sorted(int(path.name.removeprefix("step-")) for path in folder.glob("step-*"))


def by_hand(
    model_folder: Path, tokens: Sequence[Tokens], settings: TrainSettings, total: int
) -> list[Weights]:
    """Weights after each step of a plain loop with one instance per forward pass."""
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    norms = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices}, {"params": norms, "weight_decay": 0.0}],
        betas=(settings.beta1, settings.beta2),
        eps=settings.epsilon,
        weight_decay=settings.weight_decay,
    )
    result = []
    for step in range(total + 1):
        result.append({name: p.detach().clone() for name, p in model.named_parameters()})
        batch = tokens[step * settings.batch_size : (step + 1) * settings.batch_size]
        labels = sum(item.label_tokens for item in batch)
        for item in batch:
            logits = model(torch.from_numpy(item.ids)[None]).logits[0, :-1]
            targets = torch.from_numpy(item.labels[1:])
            loss = torch.nn.functional.cross_entropy(
                logits, targets, ignore_index=IGNORED, reduction="sum"
            )
            (loss / labels).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clipping)
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * (1 + math.cos(math.pi * step / total)) / 2
        optimizer.step()
        optimizer.zero_grad()
    return result


@pytest.fixture(scope="module")
def forty(some_talks: Any, talk: Any, tokenizer: Any) -> list[Tokens]:
    """40 instances: two steps of 16 and one of 8; truncation leaves the sixth without a label.

    Pairs of short and long answers alternate: a mean of micro-batches' means would show.
    """
    talks = some_talks(40)
    alternate_lengths(talks)
    talks[5] = talk("the cat " * 100, "sat")
    return encode(talks, tokenizer, 100)


@pytest.fixture
def tune(tmp_path: Path, model_folder: Path, forty: list[Tokens]) -> Tune:
    """Train on the 40 instances: `tune("folder", settings, stop=3)`, with `RUN` by default."""

    def tune(name: str, settings: TrainSettings = RUN, **flags: Any) -> tuple[Path, Path]:
        return train(model_folder, forty, settings, tmp_path / name, **flags)

    return tune


# Close to plain descent: the first step shows the gradient.
DESCENT = {"learning_rate": 0.1, "epsilon": 1.0, "gradient_clipping": 1e9}


@pytest.mark.parametrize(
    "changes",
    [
        DESCENT,
        {"steps": 2},
        {"beta1": 0.5, "beta2": 0.8, "epsilon": 1e-3},
        {"gradient_clipping": 1e-3},
        {"weight_decay": 1.0},
    ],
)
def test_a_step_equals_a_loop_by_hand(
    model_folder: Path, forty: list[Tokens], tune: Tune, changes: dict[str, Any]
) -> None:
    settings = TrainSettings(**{"learning_rate": 1e-3, "checkpoint_every": 1, **changes})
    tolerance = 1e-6 if "epsilon" in changes else 1e-5  # rounding: sums in another order
    total = len(batches.run_steps(forty, settings))
    expected = by_hand(model_folder, forty, settings, total)
    assert difference(expected[0], expected[total]) > 1e-4
    for budget in (100, 200, 400, 1600) if changes is DESCENT else (4096,):
        settings = settings.model_copy(update={"micro_batch_tokens": budget})
        folder, _ = tune(f"{budget}", settings)
        assert steps(folder) == list(range(total + 1))
        for step in range(total + 1):
            assert difference(weights(folder, step), expected[step]) < tolerance


@pytest.mark.parametrize(
    ("changes", "cuts"),
    [
        ({}, [1, 3, 5]),
        ({"precision": "bfloat16"}, [2, 5]),
        ({"adapter": AdapterSettings(rank=2, alpha=4)}, [1, 3, 5]),
        ({"epochs": 2, "epoch_order": "reshuffled"}, [5, 7, 10]),
    ],
)
def test_segments_give_the_bytes_of_one_piece(
    tune: Tune, changes: dict[str, Any], cuts: list[int]
) -> None:
    run = RUN.model_copy(update=changes)
    whole, last = tune("whole", run)
    joined: dict[str, bytes] = {}
    before = None
    for stop in cuts:
        # Other hardware must not show in the result.
        flags: dict[str, Any] = {"stop": stop, "before": before, "state_every": 3}
        segment_, before = tune(f"{stop}", run, **flags)
        assert not joined.keys() & contents(segment_).keys()
        joined |= contents(segment_)
    assert joined == contents(whole)
    assert len({joined[name] for name in joined if name.endswith("safetensors")}) == stop + 1
    assert (before / "optimizer.pt").read_bytes() == (last / "optimizer.pt").read_bytes()


def test_states_by_the_clock(tmp_path: Path, tune: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    save_checksums = segment.save_checksums

    def spy(state: Path, folder: Path, run: str, sums: dict[Path, str], *args: Any) -> None:
        saved.append(checkpoints.step_of(state))
        save_checksums(state, folder, run, sums, *args)
        assert sums == {path: sha256(path) for path in sums}  # none of them is read again
        assert {path.name for path in sums} >= {"model.safetensors", "optimizer.pt"}

    monkeypatch.setattr(segment, "save_checksums", spy)
    monkeypatch.setattr(segment, "STATE_SECONDS", 0.0)
    monkeypatch.setattr(segment, "STATE_SHARE", 0.0)
    often, _ = tune("often")
    assert saved == [1, 2, 3, 4, 5]
    kept = {path.name for path in (tmp_path / "often/states").iterdir()}
    assert kept == {"checkpoint-4", "checkpoint-5"}
    monkeypatch.setattr(segment, "STATE_SHARE", 1e9)  # times the time to save the first
    tune("two")
    monkeypatch.setattr(segment, "STATE_SECONDS", 1e9)
    seldom, _ = tune("seldom")
    assert saved == [1, 2, 3, 4, 5, 1, 5, 5]
    assert contents(often) == contents(seldom)


def test_a_run_is_known_by_all_that_it_depends_on(
    tmp_path: Path, model_folder: Path, forty: list[Tokens]
) -> None:
    steps = [forty[:2], forty[2:4]]

    def known(
        settings: Any = RUN, steps: Any = steps, base: Any = model_folder, **how: bool
    ) -> str:
        return resume.run_fingerprint(settings, steps, [str(base)], **{"sharded": False, **how})

    shutil.copytree(model_folder, tmp_path / "model", copy_function=shutil.copyfile)
    rate = RUN.model_copy(update={"learning_rate": 2e-3})
    others = [known(rate), known(steps=steps[::-1]), known(base=tmp_path / "model")]
    assert len({known(), *others, known(sharded=True)}) == 5
    assert known() == known()


def test_a_removal_that_was_cut_off_costs_no_state(tune: Tune) -> None:
    _, newest = tune("work", stop=3, state_every=1)
    partial = newest.with_name("checkpoint-1")
    partial.mkdir()
    for age, state in enumerate([partial, newest, newest.with_name("checkpoint-2")]):
        os.utime(state, (time.time() - 60 * age,) * 2)  # losing files made it the youngest
    _, resumed = tune("work", state_every=1)
    _, fresh = tune("fresh", state_every=1)
    assert {path.name for path in resumed.parent.iterdir()} == {"checkpoint-4", "checkpoint-5"}
    # They list the checkpoints of all steps; each SHA-256 is known from the state before.
    assert read_checksums(resumed) == read_checksums(fresh)


def test_refusals(tmp_path: Path, tune: Tune, forty: list[Tokens]) -> None:
    with pytest.raises(InputError, match=r"train\.steps: 4 .*set train\.steps to 3 or fewer"):
        batches.run_steps(forty, TrainSettings(steps=4))
    assert [batches.steps_of_epoch(n, TrainSettings()) for n in (1, 16, 17)] == [1, 1, 2]
    unlabelled = Tokens(forty[0].ids, np.full_like(forty[0].labels, IGNORED))
    with pytest.raises(InputError, match="step 2 holds no answer"):
        batches.check_steps([forty[:16], [unlabelled] * 16, forty[:1]], TrainSettings())
    batches.check_steps([[unlabelled, forty[31]]], TrainSettings())
    with pytest.raises(InputError, match=r"99 tokens cannot hold .* has 100; raise it to 100 or"):
        batches.check_steps([forty], TrainSettings(micro_batch_tokens=99))
    with pytest.raises(InputError, match=r"train\.warmup_steps: 3 leave nothing of a run of 3"):
        batches.run_steps(forty, TrainSettings(warmup_steps=3))
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match=r"train\.precision: float16 needs a GPU"):
            tune("work", TrainSettings(precision="float16"))
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_diverges_stops_at_once(
    tmp_path: Path, model_folder: Path, forty: list[Tokens], tune: Tune
) -> None:
    with pytest.raises(InputError, match=r"step 3: the training loss is not finite; lower train\."):
        tune("work", TrainSettings(learning_rate=1e30))
    broken = load.load_model(str(model_folder))
    torch.nn.init.constant_(broken.get_output_embeddings().weight, math.nan)
    broken.save_pretrained(tmp_path / "broken")
    with pytest.raises(InputError, match=r"step 1: the training loss .*; use another base model"):
        train(tmp_path / "broken", forty, TrainSettings(), tmp_path / "work_of_broken")


def test_the_program_says_which_run_it_was(
    tmp_path: Path, program: Any, model_folder: Path, train_arguments: Any, write_arrangement: Any
) -> None:
    call = train_arguments(tmp_path / "run", 8, settings=RUN)
    instances, order = (call[call.index(f"--{name}") + 1] for name in ("instances", "arrangement"))
    write_table(pq.read_table(instances), instances, {"dataset": "flan", "test": "train"})
    write_table(pq.read_table(order), order, {"arrangement": "tma", "seed": "3", "rounds": "2"})
    done = program(*call)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "run/checkpoints/run.json"
    facts = json.loads(run.read_text())
    assert len(facts.pop("content")) == 16
    counts = tmp_path / "tokens.parquet"
    flags = ("--instances", instances, "--model", model_folder, "--output", counts)
    assert program("count_tokens.py", *flags).returncode == 0
    num_tokens = sum(pq.read_table(counts)["tokens"].to_pylist())
    files = [f"step-{step:06d}/model.safetensors" for step in (0, 1)]
    assert facts == {
        **{"dataset": "flan", "arrangement": "tma", "seed": "3", "rounds": "2"},
        **{"trained": "8", "without_label": "0", "tokens": str(num_tokens)},
        "weights": {name: sha256(run.parent / name) for name in files},
    }
    log = (tmp_path / "run/log").read_text()
    assert "steps 0 to 1 of 1, from the base model" in log
    assert re.search(r"step 1 of 1: training loss .* steps/s, 0 s left", log)

    write_arrangement(order, ["id-0", "stranger", "id-1", "other"])
    done = program(*call)
    assert done.returncode == 1
    assert re.fullmatch(f"error: {order}: .*'stranger' is not in .*\n", done.stderr)
