"""The cluster as a fixture: started once for all tests that ask for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from cluster import answers, slurm_cluster, why_not


@pytest.fixture(scope="session")
def slurm() -> Iterator[None]:
    """Hold a SLURM cluster; skip where there can be none, unless NEARFIRST_REQUIRE_SLURM=1."""
    reason = None if answers() else why_not()
    if reason and os.environ.get("NEARFIRST_REQUIRE_SLURM") == "1":
        pytest.fail(f"NEARFIRST_REQUIRE_SLURM=1, but {reason}")
    if reason:
        pytest.skip(reason)
    with slurm_cluster():
        yield
