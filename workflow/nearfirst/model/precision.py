"""Number formats of the arithmetic: what a machine supports, and how float32 weights are used.

Weights are float32 except in evaluation, generation and rewards with float16 or float64, which keep
them in that format.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from nearfirst.common.errors import InputError
from nearfirst.model.device import device

_SDPA_FLOAT32 = "sdpa_float32"

P = ParamSpec("P")
T = TypeVar("T")


def check(key: str, precision: str) -> None:
    """Raise InputError if this machine lacks a precision, the value of the config key `key`.

    Warn if a CPU is slower in bfloat16 than in float32.
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
    """Return the dtype of resident weights in evaluation, generation and rewards.

    bfloat16 computes with float32 weights (`autocast`). Raises InputError as `check` does.
    """
    check(key, precision)
    dtype: torch.dtype = torch.float32 if precision == "bfloat16" else getattr(torch, precision)
    return dtype


def autocast(precision: str) -> AbstractContextManager[Any]:
    """Return a context in which float32 weights multiply in bfloat16, if that is the precision.

    Sums, norms, softmax and losses stay in float32. Converted weights are cached until the context
    ends: load other weights only outside it.
    """
    if precision != "bfloat16":
        return nullcontext()
    return torch.autocast(device().type, dtype=torch.bfloat16)


def without_gradients(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function so that it computes without gradients.

    Under `autocast` it does not use inference mode, in which torch (2.13) converts all weights anew
    in each pass.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        casts = any(map(torch.is_autocast_enabled, ("cpu", "cuda")))
        with torch.no_grad() if casts else torch.inference_mode():
            return function(*args, **kwargs)

    return run


def train_attention_in_float32(model: Any) -> None:
    """Make a model that trains in bfloat16 on a CPU without AMX compute attention in float32.

    There, PyTorch's fused attention is slower in bfloat16, backwards about twice. Other attention
    implementations are left alone.
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
    *args: Any,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    with torch.autocast(query.device.type, enabled=False):
        inputs = (tensor.float() for tensor in (query, key, value))
        output, weights = sdpa_attention_forward(module, *inputs, *args, **kwargs)
    return output.to(query.dtype), weights


@contextmanager
def tf32(precision: str) -> Iterator[None]:
    """Let a GPU multiply float32 numbers in TF32: 10-bit mantissas, sums in float32."""
    before = torch.get_float32_matmul_precision()
    if precision == "float32" and device().type == "cuda":
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def tolerance(model: Any) -> float:
    """Return the largest relative difference between two losses that rounding can explain."""
    kind = model.device.type
    in_tf32 = kind == "cuda" and torch.get_float32_matmul_precision() != "highest"
    exact = model.dtype in (torch.float32, torch.float64)
    return 2e-4 if exact and not in_tf32 and not torch.is_autocast_enabled(kind) else 0.05


def _cpu_has(*names: str) -> bool:
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in names)
