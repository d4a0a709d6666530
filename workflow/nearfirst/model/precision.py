"""Number formats of the arithmetic: what a machine has, and how float32 weights are used in them.

Weights are float32 in all but two cases: evaluation, generation and rewards in float16 or float64
keep them in that format.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from nearfirst.common.errors import InputError
from nearfirst.model.device import device

_SDPA_FLOAT32 = "sdpa_float32"


def check(key: str, precision: str) -> None:
    """Check that this machine computes in a precision, the value of the config key `key`.

    Raises
    ------
    InputError
        If it cannot. A CPU that is slower in bfloat16 than in float32 is warned of.
    """
    on_gpu = device().type == "cuda"
    if precision == "float16" and not on_gpu:
        raise InputError(f"{key}: float16 needs a GPU; use float32 or bfloat16 on a CPU")
    if precision != "bfloat16":
        return
    if not on_gpu and not _cpu_has("amx_bf16", "avx512_bf16", "bf16"):
        logging.warning(
            "%s: this CPU has no bfloat16 arithmetic (AMX, AVX-512 BF16): float32 is faster", key
        )
    if on_gpu and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise InputError(
            f"{key}: {torch.cuda.get_device_name()} has no bfloat16 arithmetic, which came with "
            "Ampere (A100); use float16 or float32"
        )


def weights_dtype(key: str, precision: str) -> torch.dtype:
    """Return the number format of resident weights in evaluation, generation and rewards.

    bfloat16 computes with float32 weights (`autocast`). Raises InputError as `check` does.
    """
    check(key, precision)
    found: torch.dtype = torch.float32 if precision == "bfloat16" else getattr(torch, precision)
    return found


def autocast(precision: str) -> AbstractContextManager[Any]:
    """Return a context in which float32 weights multiply in bfloat16, if that is the precision.

    Sums, norms, softmax and losses stay in float32. Weights are converted once and kept until the
    context ends: load others only outside.
    """
    if precision != "bfloat16":
        return nullcontext()
    return torch.autocast(device().type, dtype=torch.bfloat16)


def train_attention_in_float32(model: Any) -> None:
    """Have a model that trains in bfloat16 on a CPU without AMX compute attention in float32.

    PyTorch's fused attention is slower in bfloat16 there, backwards about twice. Other kinds of
    attention stay as they are.
    """
    if model.config._attn_implementation == "sdpa" and not _cpu_has("amx_bf16"):
        AttentionInterface.register(_SDPA_FLOAT32, _sdpa_float32)
        AttentionMaskInterface.register(_SDPA_FLOAT32, sdpa_mask)
        model.set_attn_implementation(_SDPA_FLOAT32)


def _sdpa_float32(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *rest: Any,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    with torch.autocast(query.device.type, enabled=False):
        its = (tensor.float() for tensor in (query, key, value))
        output, weights = sdpa_attention_forward(module, *its, *rest, **more)
    return output.to(query.dtype), weights


@contextmanager
def tf32(precision: str) -> Iterator[None]:
    """Let a GPU multiply float32 numbers in TF32: 10 bits after the point, sums in float32."""
    before = torch.get_float32_matmul_precision()
    if precision == "float32" and device().type == "cuda":
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def tolerance(model: Any) -> float:
    """Return the largest relative difference of two losses that rounding alone may explain."""
    kind = model.device.type
    in_tf32 = kind == "cuda" and torch.get_float32_matmul_precision() != "highest"
    exact = model.dtype in (torch.float32, torch.float64)
    return 2e-4 if exact and not in_tf32 and not torch.is_autocast_enabled(kind) else 0.05


def _cpu_has(*names: str) -> bool:
    has = torch.cpu.get_capabilities()
    return any(has.get(name) for name in names)
