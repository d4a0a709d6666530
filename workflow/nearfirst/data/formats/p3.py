"""P3: a folder of Parquet files for each base-class data set, and T0's table of data sets.

A base-class data set is a data set with one prompt; its folder is named after both, such as
`glue_mrpc_paraphrase`. T0's table (`datasets.csv`) has a row for each data set or subset; `BASE` in
the column `do_train` or `do_eval` puts it on the training or evaluation list. Folders that end in
`_score_eval` are skipped: they repeat the questions of another folder, and their rows hold every
answer option, including the wrong ones.
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
from nearfirst.data.conversation import Instance, Part, exchange
from nearfirst.data.readers.parquet import rows
from nearfirst.data.readers.streams import log_once
from nearfirst.data.settings import Dataset, SampleSettings

_COLUMNS = pa.schema([("inputs_pretokenized", pa.string()), ("targets_pretokenized", pa.string())])
_NO_ANSWER = "<NO LABEL>"
"""P3's placeholder for an answer that a test split withholds."""

_LISTS: dict[str, Part] = {"do_train": "train", "do_eval": "unseen"}
_SPLITS: dict[Part, tuple[str, ...]] = {
    "train": ("train",),
    "unseen": ("validation", "test", "train"),
}


class Settings(Dataset):
    """P3: a folder of base-class data sets, each a folder of Parquet files."""

    title: ClassVar[str] = "P3"

    format: Literal["p3"] = Field("p3", description="Published form.")
    list: str | None = Field(
        None,
        min_length=1,
        description="T0's `datasets.csv`; null: the one in the folder of the data.",
    )
    sample: SampleSettings = SampleSettings()


class _Row(NamedTuple):
    """A row of the table: `HF_name`, with `subset`, and its list; None if it is not BASE."""

    data_set: str
    name: str
    part: Part | None


def files(settings: Settings, path: Path) -> list[Path]:
    """Return T0's table and the files that are read. Raises InputError as `read` does."""
    listed = _match_folders(settings, path)
    shards = (_find_shards(folder, row.part)[1] for folder, row in listed if row.part)
    return [_table(settings, path), *(file for files in shards for file in files)]


def read(settings: Settings, path: Path) -> Iterator[Instance]:
    """Yield the instances of T0's training and evaluation lists, folder by folder, sorted by name.

    Of a training data set, the split `train` is read; of an unseen one, the first that exists of
    `validation`, `test` and `train`, because many test splits withhold their answers. The task is
    the folder, the source T0's `HF_name`, the id `folder/split/row`. Texts are stripped, since all
    begin with a space. The answer `<NO LABEL>` counts as empty. Folders that match no listed row
    are ignored; listed rows without a folder are logged.

    Raises InputError if the table is missing or malformed, a list has no folder at all, a folder
    lacks its split or a file of it, or a file is damaged or lacks a column.
    """
    for folder, row in _match_folders(settings, path):
        if row.part:
            yield from _read_folder(folder, row.data_set, row.part)


def _table(settings: Settings, path: Path) -> Path:
    return Path(settings.list) if settings.list else path / "datasets.csv"


def _match_folders(settings: Settings, path: Path) -> list[tuple[Path, _Row]]:
    """Return the folders that match a row of the table, sorted by name, and that row."""
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; P3 is a folder of base-class data sets")
    table = _table(settings, path)
    table_rows = _read_table(table)
    prefixes = _prefixes(table_rows)
    folders = sorted(item for item in path.iterdir() if item.is_dir())
    matched = []
    for folder in folders:
        name = f"{_normalize(folder.name)}_"
        matches = [prefix for prefix in prefixes if name.startswith(f"{prefix}_")]
        if matches and not folder.name.endswith("_score_eval"):
            matched.append((folder, prefixes[max(matches, key=len)]))
    present = {row for _, row in matched}
    for column, part in _LISTS.items():
        label = f"{column}=BASE in {table}"
        listed = [row for row in table_rows if row.part == part]
        missing = [row.name for row in listed if row not in present]
        first = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        if len(missing) == len(listed):
            raise InputError(f"{path}: no folder for any data set with {label}: {first or 'none'}")
        if missing:
            log_once(f"{path}: no folder for {len(missing)} data sets with {label}: {first}")
    return matched


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
                listed = ", ".join(columns) or "none"
                raise InputError(f"{path}: column '{column}' is missing; the table has {listed}")
        return [_parse(row) for row in table]


def _parse(row: dict[str, str]) -> _Row:
    part = next((part for column, part in _LISTS.items() if row[column] == "BASE"), None)
    return _Row(row["HF_name"], "/".join(filter(None, (row["HF_name"], row["subset"]))), part)


def _prefixes(rows: list[_Row]) -> dict[str, _Row]:
    """Return the prefixes of folder names, and the row that each belongs to.

    They are data set and subset, or only the data set if no other row has it. So the folders of
    `winogrande_winogrande_debiased` match the row `winogrande,winogrande_xl`, which makes the 123
    unseen base-class data sets of Table 4, while unlisted subsets of GLUE match no row.
    """
    counts = Counter(row.data_set for row in rows)
    single = {_normalize(row.data_set): row for row in rows if counts[row.data_set] == 1}
    return single | {_normalize(row.name): row for row in rows}


def _normalize(name: str) -> str:
    # T0 writes `_` for everything but letters, digits, dots and underscores. Dots are replaced here
    # too, because only some copies of the folders keep them.
    return re.sub(r"\W+", "_", name)


def _read_folder(folder: Path, source: str, part: Part) -> Iterator[Instance]:
    split, shards = _find_shards(folder, part)
    number = 0
    for shard in shards:
        for where, row in rows(shard, _COLUMNS):
            number += 1
            question, answer = ((row[column] or "").strip() for column in _COLUMNS.names)
            messages = exchange(question, "" if answer == _NO_ANSWER else answer)
            id_ = f"{folder.name}/{split}/{number}"
            yield Instance(id_, folder.name, messages, 0, where, source=source, part=part, row=row)


def _find_shards(folder: Path, part: Part) -> tuple[str, list[Path]]:
    """Return the split to read and all its files, in order."""
    digits = "[0-9]" * 5
    for split in _SPLITS[part]:
        shards = sorted(folder.glob(f"{split}-{digits}-of-{digits}.parquet"))
        counts = {int(shard.stem[-5:]) for shard in shards}
        if shards and counts != {len(shards)}:
            raise InputError(
                f"{folder}: {len(shards)} files of '{split}', but their names say "
                f"{' and '.join(map(str, sorted(counts)))}; complete them, or remove another copy"
            )
        if shards:
            return split, shards
    raise InputError(
        f"{folder}: no file {' or '.join(_SPLITS[part])}-00000-of-00001.parquet; "
        "complete the folder, or remove it"
    )
