"""A quantized GGUF file becomes an ordinary model folder."""

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from nearfirst.common.errors import InputError
from nearfirst.model.dequantize import dequantize
from nearfirst.model.load import load_model, load_tokenizer

WIDTH, HEADS, LAYERS = 64, 2, 2
TOKENS = ["<s>", "</s>", *(chr(sign) for sign in range(ord("a"), ord("z") + 1)), "Ġ", "th"]
NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "post_attention_layernorm": "ffn_norm",
    "input_layernorm": "attn_norm",
    "model.layers": "blk",
}


def quantized(model: Any, path: Path) -> None:
    """Write a Llama and a byte-pair tokenizer like llama.cpp's converter, in 8 bits."""
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in {
        **{"context_length": 128, "embedding_length": WIDTH, "block_count": LAYERS},
        **{"feed_forward_length": 96, "head_count": HEADS, "head_count_kv": HEADS},
        **{"layer_norm_rms_eps": 1e-5, "rope_freq_base": 10_000.0, "vocab_size": len(TOKENS)},
        **{"tokenizer_model": "gpt2", "token_list": TOKENS, "token_merges": ["t h"]},
        **{"token_types": [3, 3, *[1] * (len(TOKENS) - 2)]},
        **{"bos_token_id": 0, "eos_token_id": 1},
    }.items():
        getattr(writer, f"add_{key}")(value)
    for name, tensor in model.state_dict().items():
        values = tensor.numpy()
        if "q_proj" in name or "k_proj" in name:
            # llama.cpp rotates neighbouring pairs, transformers rotates the halves of a head.
            halves = values.reshape(HEADS, 2, -1, WIDTH)
            values = np.ascontiguousarray(halves.swapaxes(1, 2).reshape(values.shape))
        for ours, gguf_name in NAMES.items():
            name = name.replace(ours, gguf_name)
        if values.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_the_weights_and_the_tokenizer(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(TOKENS),
        hidden_size=WIDTH,
        intermediate_size=96,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=128,
        rms_norm_eps=1e-5,
    )
    original = LlamaForCausalLM(config)
    (tmp_path / "raw/deep").mkdir(parents=True)
    quantized(original, tmp_path / "raw/deep/model.gguf")
    dequantize(tmp_path / "raw", tmp_path / "model")
    model, tokenizer = load_model(str(tmp_path / "model")), load_tokenizer(str(tmp_path / "model"))
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    for name, tensor in original.state_dict().items():
        # 8 bits per weight: steps of 1/127 of the largest of 32 weights.
        limit = tensor.abs().max().item() / 127
        assert (model.state_dict()[name] - tensor).abs().max().item() <= limit, name
    ids = torch.arange(2, 22)[None]
    assert torch.allclose(model(ids).logits, original(ids).logits, atol=0.02)
    assert tokenizer("bath", add_special_tokens=False).input_ids == [
        TOKENS.index(token) for token in ("b", "a", "th")
    ]


def test_a_folder_without_one_file_or_with_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected one GGUF file, found none; set model\.package"):
        dequantize(tmp_path, tmp_path / "model")
    (tmp_path / "a.gguf").write_bytes(b"GGUF" + bytes(40))
    with pytest.raises(InputError, match=r"a\.gguf: cannot be read"):
        dequantize(tmp_path, tmp_path / "model")
    assert not (tmp_path / "model").exists()
