"""Which GPUs a process sees, and what is said of a model that cannot be had."""

import os
from pathlib import Path

import pytest

from nearfirst.common.errors import InputError
from nearfirst.model import load, visible_gpus


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, "0"), ("0", "0"), ("2,3", "2"), ("GPU-8a,GPU-9b", "GPU-8a"), ("", "")],
)
def test_one_gpu_is_kept_of_those_that_were_allotted(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if before is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", before)
    visible_gpus.keep_one_gpu()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == after


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    for function in (load.load_model, load.load_tokenizer, load.empty_model):
        with pytest.raises(InputError, match=str(tmp_path)):
            function(str(tmp_path))
