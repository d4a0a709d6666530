"""What a training job reads of its pool."""

from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from nearfirst.model import template
from nearfirst.model.settings import TemplateSettings
from nearfirst.train import job


def test_only_the_rows_of_a_run_are_tokenized_in_its_order(
    tmp_path: Path,
    tokenizer: Any,
    some_talks: Any,
    write_instances: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    talks, encode, tokenized = some_talks(9), template.encode, []

    def noting(conversations: Iterable[Any], *arguments: Any) -> list[template.Tokens]:
        tokenized.extend(conversations)
        return encode(tokenized, *arguments)

    monkeypatch.setattr(template, "encode", noting)
    write_instances(tmp_path / "pool.parquet", talks)
    settings = TemplateSettings()
    flags = Namespace(instances=tmp_path / "pool.parquet", template=settings)
    tokens = job._tokens_in_order(flags, tokenizer, [5, 0, 2])
    expected = encode([talks[5], talks[0], talks[2]], tokenizer, settings.max_length)
    assert [item.ids.tolist() for item in tokens] == [item.ids.tolist() for item in expected]
    assert len(tokenized) == 3
