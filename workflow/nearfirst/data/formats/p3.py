"""P3: a folder of Parquet files for each base-class data set, and T0's table of data sets.

A base-class data set is a data set under one prompt; its folder is called by both, such as
`glue_mrpc_paraphrase`. T0's table (`datasets.csv`) has a row for each data set or subset of one;
`BASE` in the column `do_train` or `do_eval` puts it on the training or the evaluation list. Folders
that end in `_score_eval` are left out: their rows hold every answer to choose from, also the wrong
ones, and their questions are those of the folder without that ending.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import pyarrow as pa
from pydantic import Field

from nearfirst.common.errors import InputError
from nearfirst.data.conversation import Instance, Part, exchanges
from nearfirst.data.readers.parquet import rows
from nearfirst.data.readers.streams import warn_once
from nearfirst.data.settings import Dataset, SampleSettings

COLUMNS = pa.schema([("inputs_pretokenized", pa.string()), ("targets_pretokenized", pa.string())])
NO_ANSWER = "<NO LABEL>"
"""What P3 writes in place of an answer that a test split withholds."""

_LISTS: dict[str, Part] = {"do_train": "train", "do_eval": "unseen"}
_SPLITS: dict[Part, tuple[str, ...]] = {
    "train": ("train",),
    "unseen": ("validation", "test", "train"),
}


class Settings(Dataset):
    """P3: a folder of base-class data sets, one folder of Parquet files each."""

    title: ClassVar[str] = "P3"

    format: Literal["p3"] = Field("p3", description="Published form.")
    list: str | None = Field(
        None, description="T0's `datasets.csv`; null: the one in the data set's folder."
    )
    sample: SampleSettings = SampleSettings()


class _Row(NamedTuple):
    """A row of the table; `part` is None if it is on neither BASE list."""

    data_set: str
    subset: str
    part: Part | None

    @property
    def name(self) -> str:
        return "/".join(filter(None, (self.data_set, self.subset)))


def files(settings: Settings, path: Path) -> list[Path]:
    """Return T0's table, and the files of the splits that are read. Raises InputError as `read`."""
    listed = _folders(settings, path)
    shards = (_files(folder, row.part)[1] for folder, row in listed if row.part)
    return [_table(settings, path), *(file for its in shards for file in its)]


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the instances of T0's training and evaluation lists, folder after folder by name.

    Of a training data set the split `train` is read; of an unseen one `validation`, or if it has
    none `test`, or else `train`: many test splits withhold their answers. The task is the folder,
    the source the data set that T0 calls `HF_name`, the id `folder/split/row`. Texts are stripped:
    all begin with a space. An answer `<NO LABEL>` counts as empty. A folder that belongs to no row
    on a list is ignored; rows on a list without a folder are logged.

    Raises InputError if the table is missing or of another form, a list has no folder at all, a
    folder lacks its split or a file of it, or a file is damaged or lacks a column.
    """
    for folder, row in _folders(settings, path):
        if row.part:
            if any("\ud800" <= sign <= "\udfff" for sign in folder.name):  # undecodable bytes
                raise InputError(f"{str(folder)!a}: the folder's name is no UTF-8; rename it")
            yield from _instances(folder, row.data_set, row.part)


def _table(settings: Settings, path: Path) -> Path:
    return Path(settings.list) if settings.list else path / "datasets.csv"


def _folders(settings: Settings, path: Path) -> list[tuple[Path, _Row]]:
    """Return the folders that belong to a row of the table, by name, and that row."""
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; P3 is a folder of base-class data sets")
    table = _table(settings, path)
    known = _read_table(table)
    names = _names(known)
    folders = sorted(item for item in path.iterdir() if item.is_dir())
    owned = [(folder, row) for folder in folders if (row := _owner(folder.name, names))]
    for column, part in _LISTS.items():
        listed = [row for row in known if row.part == part]
        _check_list(path, f"{column}=BASE in {table}", listed, {row for _, row in owned})
    return owned


def _read_table(path: Path) -> list[_Row]:
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; place T0's datasets.csv there, or name it in the key `list`"
        )
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        table = csv.DictReader(file)
        columns = table.fieldnames or []
        for column in ("HF_name", "subset", *_LISTS):
            if column not in columns:
                there = ", ".join(columns) or "none"
                raise InputError(f"{path}: column '{column}' is missing; the table has {there}")
        known = []
        for row in table:
            parts = [part for column, part in _LISTS.items() if row[column] == "BASE"]
            if len(parts) > 1:
                raise InputError(f"{path}: '{row['HF_name']}' is BASE in both do_train and do_eval")
            known.append(_Row(row["HF_name"], row["subset"] or "", parts[0] if parts else None))
    return known


def _names(known: list[_Row]) -> dict[str, _Row]:
    """Return how the folders of each row may begin.

    With data set and subset; with the data set only, where no other row has it. So the folders of
    `winogrande_winogrande_debiased` go with the row `winogrande,winogrande_xl`, which makes the 123
    unseen base-class data sets of Table 4, while a subset of GLUE that the table does not list goes
    with no row.
    """
    of_data_set = Counter(row.data_set for row in known)
    single = {_clean(row.data_set): row for row in known if of_data_set[row.data_set] == 1}
    return single | {_clean(row.name): row for row in known}


def _clean(name: str) -> str:
    # T0 writes `_` for all but letters, digits, points and underscores. Points go here, too: some
    # copies of the folders keep them and some do not.
    return re.sub(r"\W+", "_", name)


def _owner(folder: str, names: dict[str, _Row]) -> _Row | None:
    if folder.endswith("_score_eval"):
        return None
    fitting = [name for name in names if f"{_clean(folder)}_".startswith(f"{name}_")]
    return names[max(fitting, key=len)] if fitting else None


def _check_list(path: Path, what: str, listed: list[_Row], present: set[_Row]) -> None:
    if not listed:
        raise InputError(f"{path}: no data set has {what}")
    missing = [row.name for row in listed if row not in present]
    first = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
    if len(missing) == len(listed):
        raise InputError(f"{path}: no folder for any data set with {what}: {first}")
    if missing:
        warn_once(f"{path}: no folder for {len(missing)} data sets with {what}: {first}")


def _instances(folder: Path, source: str, part: Part) -> Iterator[Instance]:
    split, files = _files(folder, part)
    number = 0
    for file in files:
        for where, row in rows(file, COLUMNS):
            number += 1
            question, answer = ((row[column] or "").strip() for column in COLUMNS.names)
            turns = [("user", question), ("assistant", "" if answer == NO_ANSWER else answer)]
            messages, dropped = exchanges(turns)
            id_ = f"{folder.name}/{split}/{number}"
            yield Instance(
                id_, folder.name, messages, dropped, where, source=source, part=part, row=row
            )


def _files(folder: Path, part: Part) -> tuple[str, list[Path]]:
    """Return the split to read and all its files, in order."""
    for split in _SPLITS[part]:
        named = (re.fullmatch(rf"{split}-\d+-of-(\d+)\.parquet", f.name) for f in folder.iterdir())
        counts = sorted({int(name[1]) for name in named if name})
        if len(counts) > 1:
            raise InputError(
                f"{folder}: files of two sets of '{split}', of {counts[0]} and of {counts[1]}; "
                "remove one set"
            )
        files: list[Path] = []
        # One by one: a name may hold any number.
        while counts and len(files) < counts[0]:
            file = folder / f"{split}-{len(files):05}-of-{counts[0]:05}.parquet"
            if not file.is_file():
                raise InputError(f"{file}: no such file, but others of the split; complete them")
            files.append(file)
        if files:
            return split, files
    raise InputError(
        f"{folder}: no file {' or '.join(_SPLITS[part])}-00000-of-00001.parquet; "
        "complete the folder, or remove it"
    )
