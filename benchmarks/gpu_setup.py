"""What the rows of gpu.py share: sizes of models, settings, and the machine."""

import os
import platform
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import torch
from random_llama import SHAPES

from nearfirst.model.device import device
from nearfirst.model.visible_gpus import driver

PEAKS = {
    **{"B200": 2250, "H200 NVL": 835, "H200": 989, "H100 NVL": 835, "H100 PCIe": 756, "H100": 989},
    **{"A100": 312, "A800": 312, "L40S": 362, "L4": 121},
}
"""TFLOP/s of dense 16-bit products, as NVIDIA states them, by a part of the card's name."""


class Size(NamedTuple):
    """The shape of a model, how it is trained, and the tokens kept of an instance."""

    shape: dict[str, Any]
    batch_size: int
    micro_batch_tokens: int
    recompute: bool = False
    max_length: int = 1024


SIZES = {
    "135M": Size(SHAPES["SmolLM2-135M"], 64, 16384),
    "1B": Size(SHAPES["Llama-3.2-1B"], 64, 8192),
    # Weights, gradients and moments are 108 of the 150 GB of an H200.
    "7B": Size(SHAPES["LLaMA-2-7B"], 16, 2048, recompute=True),
}
TINY = Size(
    {
        **{"vocab_size": 500, "hidden_size": 32, "intermediate_size": 64},
        **{"num_hidden_layers": 2, "num_attention_heads": 2, "tie_word_embeddings": True},
    },
    batch_size=16,
    micro_batch_tokens=4096,
    max_length=64,
)


class Setup(NamedTuple):
    """The settings of every row."""

    folder: Path
    cpu: bool = False
    peak: float | None = None
    """TFLOP/s that MFU refers to, if not those for the card's name."""

    def size(self, name: str) -> Size:
        """Return the size of a model; on a CPU all are tiny."""
        return TINY if self.cpu else SIZES[name]

    def count(self, on_gpu: int, on_cpu: int) -> int:
        """Return the count for this device."""
        return on_cpu if self.cpu else on_gpu


def machine(setup: Setup) -> list[str]:
    packages = ", ".join(map(_version, ("torch", "transformers", "accelerate", "peft", "numpy")))
    host = f"{os.cpu_count()} {platform.machine()} cores and {host_memory() / 1e9:.0f} GB"
    if not setup.cpu:
        size = torch.cuda.get_device_properties(0).total_memory / 1e9
        card = f"{torch.cuda.get_device_name()} of {size:.1f} GB, CUDA {torch.version.cuda}"
        host = f"{card}, driver {driver() or 'unknown'}; {host}"
    return [f"{host}; Python {platform.python_version()}, {packages}"]


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def host_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def products(setup: Setup) -> list[str]:
    measured, stated = _products(setup.cpu), _stated()
    share = "" if stated is None else f", {100 * measured / stated:.0f} % of the stated {stated:,}"
    return [f"{measured:,.4g} TFLOP/s{share}"]


def peak(setup: Setup) -> float:
    """Return the TFLOP/s that MFU refers to: from the flag, from NVIDIA, or measured."""
    return setup.peak or _stated() or _products(setup.cpu)


def _stated() -> float | None:
    if not torch.cuda.is_available():
        return None
    card = torch.cuda.get_device_name()
    return next((tflops for name, tflops in PEAKS.items() if name in card), None)


@cache
def _products(tiny: bool) -> float:
    """Return the TFLOP/s of products of square matrices in bfloat16."""
    size, times = 256 if tiny else 8192, 10
    a, b = torch.randn(2, size, size, device=device(), dtype=torch.bfloat16)
    for _ in range(3):
        a @ b
    since = now()
    for _ in range(times):
        a @ b
    return 2 * size**3 * times / (now() - since) / 1e12


def now() -> float:
    """Return the time in seconds, once the card has done all queued work."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
