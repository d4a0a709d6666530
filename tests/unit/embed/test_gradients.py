"""Gradients of LESS and hidden states of RDS+ against their formulas, on a tiny model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from nearfirst.common.embeddings import read_embeddings
from nearfirst.common.errors import InputError
from nearfirst.embed import base_model, gradients, hidden
from nearfirst.embed.kinds import gradient
from nearfirst.embed.registry import KINDS, Context, Instances
from nearfirst.model.template import IGNORED, Tokens, encode

STEPS = 4
TOLERANCE = 4 * np.sqrt(2 / 2**15)
"""At most four standard deviations of a cosine in a sketch of 2^15 numbers."""
TRAIN = {"steps": STEPS, "batch_size": 4, "learning_rate": 1e-3, "checkpoint_every": STEPS}


@pytest.fixture(scope="module")
def warm_up(tmp_path_factory: pytest.TempPathFactory, train_arguments: Any, program: Any) -> Path:
    """A segment of a run: its checkpoints and its state."""
    folder = tmp_path_factory.mktemp("warm-up")
    program(*train_arguments(folder, 16, settings=json.dumps(TRAIN)), check=True)
    return folder


@pytest.fixture(scope="module")
def tokens(tokenizer: Any, some_talks: Any) -> list[Tokens]:
    return encode(some_talks(12, seed=5), tokenizer, 64)


@pytest.fixture(scope="module")
def model(warm_up: Path) -> Any:
    folder = warm_up / f"checkpoints/step-{STEPS:06d}"
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def represent(model_folder: Path, warm_up: Path, tokens: list[Tokens]) -> Callable[..., Any]:
    """Represent instances: `represent(preconditioned=True)`."""

    def call(
        items: list[Tokens] = tokens,
        dimension: int = 2**15,
        warm_up: tuple[Path, ...] = (warm_up,),
        rates: tuple[float, ...] = (1.0,),
        preconditioned: bool = True,
        **options: Any,
    ) -> Any:
        ids = [f"id-{i}" for i in range(len(items))]
        arguments = (str(model_folder), warm_up, rates, ids, items, dimension, 7)
        return gradients.represent(*arguments, preconditioned=preconditioned, **options)

    return call


def plain_gradient(model: Any, item: Tokens) -> torch.Tensor:
    """Return the gradient of the loss that transformers computes."""
    model.zero_grad()
    ids, labels = torch.from_numpy(item.ids)[None], torch.from_numpy(item.labels)[None]
    model(input_ids=ids, labels=labels).loss.backward()
    return torch.cat([parameter.grad.reshape(-1) for parameter in model.parameters()])


def adam_step(model: Any, warm_up: Path, gradient: torch.Tensor) -> torch.Tensor:
    """Return the step of torch's AdamW with a gradient after the warm-up, at a rate of 1."""
    with torch.no_grad():
        copies = {name: p.clone().requires_grad_() for name, p in model.named_parameters()}
    # As the Trainer does: weight decay for all but norms.
    groups = [[copy for name, copy in copies.items() if ("norm" in name) == i] for i in (0, 1)]
    optimizer = torch.optim.AdamW([{"params": group} for group in groups])
    optimizer.load_state_dict(torch.load(warm_up / "state/optimizer.pt", weights_only=True))
    for group in optimizer.param_groups:
        group |= {"lr": 1.0, "weight_decay": 0.0}
    before = torch.cat([copy.detach().reshape(-1) for copy in copies.values()])
    parts = gradient.split([copy.numel() for copy in copies.values()])
    for copy, part in zip(copies.values(), parts, strict=True):
        copy.grad = part.view_as(copy)
    optimizer.step()
    return before - torch.cat([copy.detach().reshape(-1) for copy in copies.values()])


def cosines(a: Any, b: Any) -> Any:
    a, b = (np.asarray(vectors, dtype=np.float64) for vectors in (a, b))
    return a @ b.T / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)


def test_projected_cosines_against_whole_gradients(
    model: Any, warm_up: Path, tokens: list[Tokens], represent: Any
) -> None:
    queries = torch.stack([plain_gradient(model, item) for item in tokens])
    pool = torch.stack([adam_step(model, warm_up, gradient) for gradient in queries])
    exact = cosines(pool, queries)
    projected_pool, projected_queries = represent(), represent(preconditioned=False)
    projected = cosines(projected_pool, projected_queries)
    np.testing.assert_allclose(projected, exact, atol=TOLERANCE)
    of_queries = cosines(projected_queries, projected_queries)
    np.testing.assert_allclose(of_queries, cosines(queries, queries), atol=TOLERANCE)
    assert np.corrcoef(projected.ravel(), exact.ravel())[0, 1] > 0.9


def test_a_sketch_preserves_inner_products_within_its_variance() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 1003, generator=generator)
    y += x
    d = 64
    projections = [gradients.Projection(1003, d, seed) for seed in range(400)]
    products = [float(project(x) @ project(y)) for project in projections]
    deviation = float(((x @ x) * (y @ y) + (x @ y) ** 2) / d) ** 0.5
    assert abs(np.mean(products) - float(x @ y)) < 4 * deviation / 20
    assert np.std(products) < 1.2 * deviation


def test_other_instances_change_no_byte(represent: Any, tokens: list[Tokens]) -> None:
    whole = represent(dimension=32)
    parts = [represent(tokens[i:j], dimension=32) for i, j in ((0, 1), (1, 1), (1, 7), (7, 12))]
    assert np.concatenate(parts).tobytes() == whole.tobytes()
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, rtol=1e-5)


def test_blocks_are_kept_by_checkpoint(
    represent: Any, warm_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradients, "BLOCK", 5)
    run = {"dimension": 32, "warm_up": (warm_up, warm_up), "rates": (3e-3, 1e-3)}
    kept: dict[str, Any] = {}
    computed = []

    def keep(name: str, compute: Any) -> Any:
        if name not in kept:
            computed.append(name)
            kept[name] = compute()
        return kept[name]

    whole = represent(**run, keep=keep)
    assert [part.shape for part in kept.values()] == [(5, 32), (5, 32), (2, 32)] * 2
    np.testing.assert_array_equal(whole, represent(**run))
    last = list(kept)[-2:]
    for name in last:
        del kept[name]
    computed.clear()
    np.testing.assert_array_equal(represent(**run, keep=keep), whole)
    assert computed == last


def test_checkpoints_are_weighted_by_their_rate(
    represent: Any, warm_up: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / "checkpoints").mkdir(parents=True)
    (other / "checkpoints/step-000001").symlink_to(warm_up / "checkpoints/step-000000")
    (other / "state").symlink_to(warm_up / "state")
    flags = {"dimension": 64, "preconditioned": False}
    one, two = represent(**flags), represent(warm_up=(other,), **flags)
    both = represent(warm_up=(warm_up, other), rates=(3e-3, 1e-3), **flags)
    expected = 0.75 * one @ one.T + 0.25 * two @ two.T
    np.testing.assert_allclose(both @ both.T, expected, atol=1e-5)


def test_instances_without_a_gradient(
    represent: Any, tokens: list[Tokens], warm_up: Path, tmp_path: Path
) -> None:
    unlabelled = Tokens(tokens[0].ids, np.full_like(tokens[0].labels, IGNORED))
    with pytest.raises(InputError, match=r"id 'id-1': no answer .* \(1 of 2 queries\)"):
        represent([tokens[0], unlabelled], preconditioned=False)
    # In a pool it keeps its place, with the step that Adam takes from its moments.
    assert np.isfinite(represent([tokens[0], unlabelled], dimension=8)).all()
    broken = tmp_path / "checkpoints/step-000004"
    broken.mkdir(parents=True)
    weights = load_file(warm_up / "checkpoints/step-000004/model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, broken / "model.safetensors")
    with pytest.raises(InputError, match="id 'id-0': its gradient at step-000004 is not finite"):
        represent(warm_up=(tmp_path,), preconditioned=False)


def test_an_unusable_state_is_refused(represent: Any, warm_up: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").symlink_to(warm_up / "checkpoints")
    (tmp_path / "state").mkdir()
    path = tmp_path / "state/optimizer.pt"
    path.write_bytes(b"PK")
    with pytest.raises(InputError, match=r"optimizer\.pt: cannot be read"):
        represent(warm_up=(tmp_path,))
    path.rename(path.with_suffix(".bin"))
    with pytest.raises(InputError, match=r"set hardware\.train\.gpus to 1"):
        represent(warm_up=(tmp_path,))


def test_hidden_states_are_weighted_by_position(model: Any, tokens: list[Tokens]) -> None:
    expected = []
    for item in tokens:
        output = model(input_ids=torch.from_numpy(item.ids)[None], output_hidden_states=True)
        weights = np.arange(1, len(item.ids) + 1)
        states = output.hidden_states[-1][0].detach().numpy()
        expected.append(weights / weights.sum() @ states)
    for batch_tokens in (1, 4096):
        vectors = hidden.means(model, tokens, batch_tokens)
        np.testing.assert_allclose(vectors, expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["text", "hidden", "gradient"])
def test_the_program_in_shards(
    tmp_path: Path,
    kind: str,
    program: Any,
    model_folder: Path,
    warm_up: Path,
    some_talks: Any,
    write_instances: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("registry", "encode", "hidden"):
        monkeypatch.setattr(f"nearfirst.embed.{module}.BLOCK", 4)
    instances = tmp_path / "instances.parquet"
    ids = write_instances(instances, some_talks(9))
    row = {"kind": kind, "threads": 1} | ({"dimension": 16} if kind == "gradient" else {})
    flags = ["--instances", instances, "--settings", json.dumps(row)]
    output = tmp_path / "embeddings.parquet"
    tables = []
    for shard in ("1-of-1", "1-of-2", "2-of-2"):
        model_flags = ["--model", model_folder, "--warm-up", warm_up, "--rates", "1e-3"]
        program("embed.py", *flags, *model_flags, "--shard", shard, "--output", output, check=True)
        tables.append(read_embeddings(output))
    (whole_ids, whole), (first_ids, first), (_, second) = tables
    assert (whole_ids, len(first_ids)) == (ids, 4)
    assert whole.tobytes() == np.concatenate([first, second]).tobytes()
    if kind != "text":
        done = program("embed.py", *flags, "--output", tmp_path / "none.parquet")
        assert "this kind of representation needs --model" in done.stderr


def test_checkpoints_divide_the_warm_up() -> None:
    with pytest.raises(InputError, match="checkpoints: 3 does not divide warmup_steps 40"):
        KINDS.parse('{"kind": "gradient", "checkpoints": 3}')


def test_gradients_of_an_adapter(
    tmp_path: Path, train_arguments: Any, program: Any, represent: Any, tokens: list[Tokens]
) -> None:
    settings = json.dumps(TRAIN | {"adapter": {"rank": 2}})
    program(*train_arguments(tmp_path, 16, settings=settings), check=True)
    weights = load_file(tmp_path / "checkpoints/step-000004/adapter_model.safetensors")
    size = sum(tensor.numel() for tensor in weights.values())
    # A sketch with as many numbers as coordinates keeps all of them, up to signs.
    vectors = represent(tokens[:2], dimension=size, warm_up=(tmp_path,))
    assert vectors.shape == (2, size)
    assert (vectors != 0).mean() > 0.9


def test_an_operation_without_a_deterministic_form_is_left_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        # As OPT does on a GPU: it counts positions in float32.
        raise RuntimeError(
            "cumsum_cuda_kernel does not have a deterministic implementation, but you set "
            "'torch.use_deterministic_algorithms(True)'."
        )

    monkeypatch.setattr(gradients, "represent", fail)
    monkeypatch.setattr(base_model, "encode_instances", lambda *_: [])
    expected = r"hardware\.embed\.gpus: cumsum_cuda_kernel, which .*; set it to 0: the CPU then"
    with pytest.raises(InputError, match=expected):
        gradient.represent(Instances([], lambda: iter([])), gradient.Settings(), Context())
