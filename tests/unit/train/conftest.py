"""Training in several processes."""

from collections.abc import Iterator

import pytest
from warm import folder_of_python


@pytest.fixture(scope="package")
def warm_processes() -> Iterator[None]:
    """Have torchrun fork its processes from one that has done their imports."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_EXEC", f"{folder_of_python()}/python")
        yield
