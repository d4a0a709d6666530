"""The generated data sets, written once in each published format."""

from pathlib import Path

import pytest

from nearfirst.corpus.formats import flan, niv2, norobots, p3, sharegpt
from nearfirst.corpus.settings import CorpusSettings


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all data sets under the default settings, each in a folder named by format."""
    folder = tmp_path_factory.mktemp("written")
    for form in (flan, niv2, norobots, p3, sharegpt):
        output = folder / form.__name__.rpartition(".")[2]
        output.mkdir()
        form.write(output, CorpusSettings())
    return folder
