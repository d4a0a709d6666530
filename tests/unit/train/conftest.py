"""Training in several processes."""

import pytest
from warm import folder_of_python


@pytest.fixture
def warm_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have torchrun fork its processes from one that has done their imports; do not kill them."""
    monkeypatch.setenv("PYTHON_EXEC", f"{folder_of_python()}/python")
