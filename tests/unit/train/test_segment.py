"""Instruction tuning: against a loop by hand, cut into pieces, and killed."""

import math
import re
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from nearfirst.common.errors import InputError
from nearfirst.hardware import TrainHardware
from nearfirst.model import checkpoints, load
from nearfirst.model.template import IGNORED, Tokens, encode
from nearfirst.train import batches as steps_of
from nearfirst.train import resume
from nearfirst.train.settings import TrainSettings

RUN = TrainSettings(learning_rate=1e-3, batch_size=4, micro_batch_size=4, checkpoint_every=5)
INSTANCES = 238  # 60 steps of 4, the last of 2


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def contents(*folders: Path) -> dict[str, bytes]:
    """The bytes of every checkpoint in the folders, by step."""
    found = [path for folder in folders for path in folder.glob("step-*/model.safetensors")]
    assert len({path.parent.name for path in found}) == len(found)
    return {path.parent.name: path.read_bytes() for path in found}


def steps(*numbers: int) -> set[str]:
    return {f"step-{number:06d}" for number in numbers}


def written(folder: Path, step: int) -> int:
    return (folder / f"step-{step:06d}/model.safetensors").stat().st_mtime_ns


def assert_close(found: Path, expected: dict[str, torch.Tensor]) -> None:
    own = weights(found)
    assert own.keys() == expected.keys()
    for name, tensor in own.items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=1e-5)


def train(
    model: Path, tokens: Sequence[Tokens], settings: TrainSettings, work: Path, **segment: Any
) -> Path:
    """Train, by default a whole run; returns the folder of checkpoints."""
    asked = {"start": 0, "stop": None, "before": None, **segment}
    hardware = asked.pop("hardware", TrainHardware())
    base = load.load_model(str(model))
    asked["run"] = resume.identity(settings, tokens, [str(model)], sharded=False)
    return segment.train_segment(base, tokens, settings, hardware, work=work, **asked)[0]


def by_hand(
    model_folder: Path, tokens: Sequence[Tokens], settings: TrainSettings, total: int
) -> list[dict[str, torch.Tensor]]:
    """Weights after each step of a plain loop, one instance in a forward pass."""
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    norms = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices}, {"params": norms, "weight_decay": 0.0}],
        betas=(settings.beta1, settings.beta2),
        eps=settings.epsilon,
        weight_decay=settings.weight_decay,
    )
    result = [{name: p.detach().clone() for name, p in model.named_parameters()}]
    for step in range(total):
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
        rate = settings.learning_rate * (1 + math.cos(math.pi * step / total)) / 2
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad()
        result.append({name: p.detach().clone() for name, p in model.named_parameters()})
    return result


@pytest.fixture(scope="module")
def forty(some_talks: Any, talk: Any, tokenizer: Any) -> list[Tokens]:
    """40 instances: two steps of 16 and one of 8; truncation leaves the sixth without a label."""
    talks = some_talks(40)
    talks[5] = talk("the cat " * 100, "sat")
    return encode(talks, tokenizer, 100)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"micro_batch_size": 16},
        {"micro_batch_size": 4},
        {"steps": 2},
        {"beta1": 0.5, "beta2": 0.8, "epsilon": 1e-3},
        {"gradient_clipping": 1e-3},
        {"weight_decay": 1.0},
    ],
)
def test_a_step_is_what_a_loop_by_hand_does(
    tmp_path: Path, model_folder: Path, forty: list[Tokens], changes: dict[str, Any]
) -> None:
    settings = TrainSettings(learning_rate=1e-3, checkpoint_every=1, **changes)
    found = train(model_folder, forty, settings, tmp_path)
    total = steps_of.total_steps(40, settings)
    expected = by_hand(model_folder, forty, settings, total)
    assert contents(found).keys() == steps(*range(total + 1))
    for step in range(total + 1):
        assert_close(resume.step_folder(found, step), expected[step])
    name = "model.embed_tokens.weight"  # it did move, by far more than the tolerance
    assert (expected[total][name] - expected[0][name]).abs().max() > 1e-4


def test_checkpoints(tmp_path: Path, model_folder: Path, forty: list[Tokens]) -> None:
    settings = TrainSettings(learning_rate=1e-3, batch_size=8, checkpoint_every=2)
    found = train(model_folder, forty, settings, tmp_path)
    assert contents(found).keys() == steps(0, 2, 4, 5)
    base = weights(model_folder)
    first, last = weights(found / "step-000000"), weights(found / "step-000005")
    assert first.keys() == base.keys()
    assert all(torch.equal(first[name], base[name]) for name in base)
    assert not any(torch.equal(last[name], base[name]) for name in base)
    loaded = AutoModelForCausalLM.from_pretrained(found / "step-000005")
    assert loaded.dtype == torch.float32
    assert all(torch.equal(loaded.get_parameter(name), last[name]) for name in last)


def test_float16_checkpoints(tmp_path: Path, model_folder: Path, forty: list[Tokens]) -> None:
    settings = TrainSettings(learning_rate=1e-3, batch_size=8, checkpoint_every=5)
    exact = weights(train(model_folder, forty, settings, tmp_path / "32") / "step-000005")
    settings = settings.model_copy(update={"checkpoint_dtype": "float16"})
    folder = train(model_folder, forty, settings, tmp_path / "16") / "step-000005"
    assert {tensor.dtype for tensor in weights(folder).values()} == {torch.float16}
    resident = load.empty_model(str(model_folder))
    checkpoints.load_weights(resident, folder)  # what the next stage does
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float16)
    for name in exact:  # master weights were float32: rounded once, at the end
        assert torch.equal(resident.get_parameter(name), exact[name].half().float())
        assert torch.equal(loaded.get_parameter(name), exact[name].half())


@pytest.mark.parametrize("changed", ["nothing", "rate", "order", "model"])
def test_only_the_same_run_is_continued(
    tmp_path: Path, model_folder: Path, forty: list[Tokens], changed: str
) -> None:
    settings = TrainSettings(learning_rate=1e-3, batch_size=8, checkpoint_every=1)
    begun = train(model_folder, forty, settings, tmp_path / "work", stop=3)
    assert contents(begun).keys() == steps(0, 1, 2, 3)
    before = written(begun, 2)
    half = tmp_path / "work/states/checkpoint-4"  # as a killed job leaves it
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    model, tokens = model_folder, forty
    if changed == "rate":
        settings = settings.model_copy(update={"learning_rate": 2e-3})
    if changed == "order":
        tokens = forty[::-1]
    if changed == "model":
        model = tmp_path / "other"
        other = load.load_model(str(model_folder))
        torch.nn.init.normal_(other.lm_head.weight)
        other.save_pretrained(model)
    fresh = contents(train(model, tokens, settings, tmp_path / "fresh"))
    hardware = TrainHardware(state_every=2)
    found = train(model, tokens, settings, tmp_path / "work", hardware=hardware)
    assert contents(found) == fresh
    assert (written(found, 2) == before) == (changed == "nothing")


def test_what_cannot_be_trained_is_refused(
    tmp_path: Path, model_folder: Path, forty: list[Tokens], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"train\.steps: 4 .*largest number of steps is 3$"):
        steps_of.total_steps(40, TrainSettings(steps=4))
    assert steps_of.total_steps(40, TrainSettings(steps=3)) == 3
    assert [steps_of.total_steps(n, TrainSettings()) for n in (1, 16, 17)] == [1, 1, 2]
    bare = Tokens(forty[0].ids, np.full_like(forty[0].labels, IGNORED))
    with pytest.raises(InputError, match="step 2 holds no answer"):
        steps_of.check_labels([*forty[:16], *[bare] * 16, *forty], TrainSettings())
    assert steps_of.check_labels([*forty[16:31], bare, forty[31]], TrainSettings()) == 1
    with pytest.raises(InputError, match="bfloat16 is refused"):
        TrainSettings.parse('{"checkpoint_dtype":"bfloat16"}')
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match=r"train\.precision: float16 needs a GPU"):
            train(model_folder, forty, TrainSettings(precision="float16"), tmp_path / "work")
    for world in (3, 32):
        monkeypatch.setenv("WORLD_SIZE", str(world))
        with pytest.raises(InputError, match=f"{world} GPUs .* batch_size 16"):
            train(model_folder, forty, TrainSettings(), tmp_path / "work")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def arguments(train_arguments: Any) -> Callable[..., list[Any]]:
    """The command line of a run of 60 steps: `arguments(output, start=20, hardware={…})`."""
    return lambda folder, **flags: train_arguments(folder, INSTANCES, settings=RUN, **flags)


@pytest.fixture(scope="module")
def pieces(
    tmp_path_factory: pytest.TempPathFactory, program: Any, arguments: Any
) -> dict[str, Path]:
    """The same run in one piece and in segments; a name tells the steps."""
    folder = tmp_path_factory.mktemp("pieces")

    def run(name: str, before: str | None = None) -> None:
        start, stop = name.split("-")
        flags: dict[str, Any] = {"start": start, "stop": stop}
        if before:  # also other hardware, which must not be seen in the result
            flags |= {"state_before": folder / before / "state", "hardware": '{"state_every":7}'}
        done = program(*arguments(folder / name, **flags))
        assert done.returncode == 0, done.stderr

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, ["0-60", "0-20"]))
        list(pool.map(run, ["20-60", "20-40"], ["0-20"] * 2))
    run("40-60", "20-40")
    return {path.name: path / "checkpoints" for path in folder.iterdir()}


def test_segments_give_the_bytes_of_one_piece(pieces: dict[str, Path]) -> None:
    whole = contents(pieces["0-60"])
    assert whole.keys() == steps(*range(0, 61, 5))
    assert len(set(whole.values())) == len(whole)
    assert contents(pieces["20-40"]).keys() == steps(25, 30, 35, 40)
    assert contents(pieces["0-20"], pieces["20-60"]) == whole
    assert contents(pieces["0-20"], pieces["20-40"], pieces["40-60"]) == whole


def test_a_killed_job_goes_on_to_the_same_bytes(
    tmp_path: Path, program: Any, start_program: Any, arguments: Any, pieces: dict[str, Path]
) -> None:
    job = start_program(*arguments(tmp_path, hardware='{"state_every":5}'))
    partial = tmp_path / "checkpoints.partial"
    while not list(partial.glob("states/checkpoint-[2-5]?/seal.json")):
        assert job.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.002)
    job.kill()
    assert job.wait() == -signal.SIGKILL
    assert {path.name for path in tmp_path.iterdir()} == {
        *("log", "checkpoints.partial", "checkpoints.lock")
    }
    early = written(partial / "checkpoints", 10)

    done = program(*arguments(tmp_path))
    assert done.returncode == 0, done.stderr
    log = (tmp_path / "log").read_text()
    state = re.search(r"steps 0 to 60 of 60, from \S+/checkpoint-(\d+)\n", log)
    assert state is not None
    assert int(state[1]) >= 20
    assert f"step {state[1]} of 60" not in log
    assert "step 60 of 60" in log
    assert contents(tmp_path / "checkpoints") == contents(pieces["0-60"])
    assert written(tmp_path / "checkpoints", 10) == early
    assert not partial.exists()


def test_an_arrangement_of_other_instances_is_one_clear_line(
    tmp_path: Path, program: Any, arguments: Any, write_arrangement: Any
) -> None:
    order = tmp_path / "strange.parquet"
    write_arrangement(order, ["id-0", "stranger", "id-1", "other"])
    done = program(*arguments(tmp_path / "run", arrangement=order))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {order}: 2 ids are not in ")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["log"]
