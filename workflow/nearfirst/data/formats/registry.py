"""The forms of data: which loader reads a data set.

A form of one's own: its settings in `settings.data`, a loader that yields instances, one case here.
"""

from collections.abc import Iterator
from pathlib import Path

from nearfirst.data.conversation import Instance
from nearfirst.data.formats import chat, flan, niv2, norobots, p3, sharegpt
from nearfirst.data.settings import (
    AnyDataset,
    FlanSettings,
    Niv2Settings,
    NoRobotsSettings,
    OwnSettings,
    P3Settings,
    ShareGptSettings,
)


def read(settings: AnyDataset, path: Path, fits: niv2.Fits | None = None) -> Iterator[Instance]:
    """Yield the instances of a data set as a stream; reading it again gives the same rows.

    Parameters
    ----------
    settings
        Of the data set; they say which form it has.
    path
        The published file or the folder that holds it.
    fits
        Whether a prompt is within the limit of the source, for NIV2.

    Raises
    ------
    InputError
        What the loader of the form raises.
    ValueError
        If NIV2 is read without `fits`.
    """
    match settings:
        case FlanSettings():
            return flan.read(path)
        case Niv2Settings():
            if fits is None:
                raise ValueError("the prompts of NIV2 have a limit: `fits` is needed")
            return niv2.read(path, settings, fits)
        case P3Settings():
            return p3.read(path, settings)
        case ShareGptSettings():
            return sharegpt.read(path)
        case NoRobotsSettings():
            return norobots.read(path)
        case OwnSettings():
            return chat.read(path, settings.task_column)
