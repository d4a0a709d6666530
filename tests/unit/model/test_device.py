"""Which GPU a job gets, what it hears if it cannot use one, and what is deterministic."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.utils import deterministic as torch_deterministic

from nearfirst.common.errors import InputError
from nearfirst.model import device, precision, visible_gpus

PROPRIETARY = """NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15
GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)
"""
# As torch 2.13 says it.
TOO_OLD = (
    "CUDA initialization: The NVIDIA driver on your system is too old (found version 12020). "
    "Please update your GPU driver. (Triggered internally at /pytorch/c10/cuda/CUDAFunctions.cpp:1)"
)
Node = Callable[..., None]


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Node:
    """Pretend to be on a node with this environment and driver, and with what torch finds."""

    def be(driver: str | None = None, gpus: int = 0, says: str = "", **environment: str) -> None:
        for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        if driver:
            (tmp_path / "version").write_text(driver)
        monkeypatch.setattr(visible_gpus, "DRIVER", tmp_path / "version")

        def available() -> bool:
            if says:
                warnings.warn(says, stacklevel=1)
            return gpus > 0

        monkeypatch.setattr(torch.cuda, "is_available", available)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)

    return be


@pytest.mark.parametrize(
    ("environment", "after"),
    [
        ({}, "0"),
        ({"CUDA_VISIBLE_DEVICES": "0"}, "0"),
        ({"CUDA_VISIBLE_DEVICES": "2,3"}, "2"),
        ({"CUDA_VISIBLE_DEVICES": "GPU-8a,GPU-9b"}, "GPU-8a"),
        ({"CUDA_VISIBLE_DEVICES": ""}, ""),
        # A job without a GPU of its own takes none of its neighbours'.
        ({"SLURM_JOB_ID": "7"}, ""),
        ({"SLURM_JOB_ID": "7", "SLURM_JOB_GPUS": "3"}, "0"),
        ({"SLURM_JOB_ID": "7", "SLURM_JOB_GPUS": "3", "CUDA_VISIBLE_DEVICES": "1"}, "1"),
    ],
)
def test_the_first_of_the_given_gpus_is_kept(
    node: Node, environment: dict[str, str], after: str
) -> None:
    node(**environment)
    visible_gpus.keep_one_gpu()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == after


@pytest.mark.parametrize("environment", [{}, {"SLURM_JOB_ID": "7", "SLURM_JOB_GPUS": "3"}])
def test_a_given_gpu_that_cannot_be_used_is_an_error(
    node: Node, environment: dict[str, str]
) -> None:
    node(PROPRIETARY, says=TOO_OLD, **environment)
    with pytest.raises(InputError) as raised:
        device.device()
    for part in ("535.104.05", "01:15:15 (CUDA initialization:", "have the driver updated, or"):
        assert part in str(raised.value)
    assert "Triggered" not in str(raised.value)


@pytest.mark.parametrize(
    ("driver", "environment"),
    [
        (None, {}),
        (None, {"CUDA_VISIBLE_DEVICES": "0"}),
        (PROPRIETARY, {"CUDA_VISIBLE_DEVICES": ""}),
        (PROPRIETARY, {"CUDA_VISIBLE_DEVICES": "NoDevFiles", "SLURM_JOB_ID": "7"}),
        (PROPRIETARY, {"SLURM_JOB_ID": "7"}),
    ],
)
def test_without_a_given_gpu_the_cpu_computes(
    node: Node, driver: str | None, environment: dict[str, str]
) -> None:
    node(driver, says=TOO_OLD, **environment)
    assert device.device() == torch.device("cpu")


def test_each_process_needs_a_gpu_of_its_own(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    node(PROPRIETARY, gpus=1, CUDA_VISIBLE_DEVICES="5")
    assert device.device() == torch.device("cuda")
    with pytest.raises(InputError, match=r"1 visible .*DEVICES: 5\); lower it to 1"):
        device.check_count(2)
    device.check_count(1)
    node(PROPRIETARY, gpus=2)
    device.check_count(2)
    assert not caplog.messages
    (visible_gpus.DRIVER).unlink()
    node()
    device.check_count(2)
    assert caplog.messages == ["hardware.train.gpus: no GPU here; 2 processes on the CPU"]


def test_deterministic_is_strict_and_leaves_nothing_behind() -> None:
    before = torch_deterministic.fill_uninitialized_memory
    with device.deterministic():
        assert torch.are_deterministic_algorithms_enabled()
        # If they only warn, attention's backward passes are not deterministic.
        assert not torch.is_deterministic_algorithms_warn_only_enabled()
        assert not torch_deterministic.fill_uninitialized_memory
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] in (":4096:8", ":16:8")
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch_deterministic.fill_uninitialized_memory == before
    with device.deterministic(enabled=False):
        assert not torch.are_deterministic_algorithms_enabled()


def test_an_operation_without_a_deterministic_form_is_named() -> None:
    # torch's own refusal, of an operation that has none on a CPU either.
    with (
        pytest.raises(InputError, match=r"train\.deterministic: .*put_.* set it to false"),
        device.deterministic(),
    ):
        torch.zeros(3).put_(torch.tensor([0, 0]), torch.ones(2))
    with pytest.raises(RuntimeError, match="another"), device.deterministic():
        raise RuntimeError("another")


@pytest.mark.parametrize("key", ["train.precision", "evaluate.precision"])
def test_a_precision_that_the_machine_lacks_is_named(
    node: Node, key: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    node()
    with pytest.raises(InputError, match=f"{key}: float16 needs a GPU; use float32 or bfloat16"):
        precision.check(key, "float16")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "amx_bf16": False})
    precision.check(key, "bfloat16")
    assert caplog.messages == [
        f"{key}: this CPU has no bfloat16 arithmetic (AMX, AVX-512 BF16): float32 is faster"
    ]
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    precision.check(key, "bfloat16")
    assert len(caplog.messages) == 1

    node(gpus=1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla V100")
    with pytest.raises(InputError, match=f"{key}: Tesla V100 has no bfloat16 .* use float16"):
        precision.check(key, "bfloat16")
    precision.check(key, "float16")


def test_float32_is_tf32_on_a_gpu_for_a_while(node: Node) -> None:
    before = torch.get_float32_matmul_precision()
    cases = [(1, "float32", "high"), (1, "bfloat16", before), (0, "float32", before)]
    for gpus, name, within in cases:
        node(gpus=gpus)
        with precision.tf32(name):
            assert torch.get_float32_matmul_precision() == within
        assert torch.get_float32_matmul_precision() == before
