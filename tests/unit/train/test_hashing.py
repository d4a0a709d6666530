"""Files are hashed while they are written."""

import hashlib
from pathlib import Path

import pytest
import torch

from nearfirst.train.checksums import damage, read_checksums, write_checksums
from nearfirst.train.hashing import HashedSaves


def test_the_sums_are_those_of_the_files(tmp_path: Path) -> None:
    torch.manual_seed(0)
    content = {"large": torch.randn(300_000), "small": torch.arange(3), "name": "état"}
    plain = torch.save
    (tmp_path / "before").write_bytes(b"weights" * 100)
    with HashedSaves() as saves:
        saves.add(tmp_path / "before")
        torch.save(content, str(tmp_path / "one.pt"))
        torch.save(content, tmp_path / "two.pt")
        with (tmp_path / "open").open("wb") as file:
            torch.save(content, file)
    assert torch.save is plain
    assert saves.sums == {
        tmp_path / name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        for name in ("before", "one.pt", "two.pt")
    }
    assert torch.equal(torch.load(tmp_path / "one.pt")["large"], content["large"])
    write_checksums(tmp_path, saves.sums)
    assert damage(tmp_path) is None
    assert len((read_checksums(tmp_path) or {})["sha256"]) == 4
    write_checksums(tmp_path, {tmp_path / "one.pt": "0" * 64})  # it is not read
    assert f"{tmp_path / 'one.pt'} is damaged" in str(damage(tmp_path))


def test_what_goes_wrong_is_raised(tmp_path: Path) -> None:
    plain = torch.save
    with pytest.raises(OSError, match="No such file"), HashedSaves():
        torch.save({}, tmp_path / "missing/one.pt")
    assert torch.save is plain
