"""How long each run will be: instances, steps and checkpoints, from what is known beforehand."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nearfirst.common.parquet import open_parquet
from nearfirst.config import Config
from nearfirst.data.formats import chat
from nearfirst.data.settings import DialogueSampleSettings


@dataclass(frozen=True)
class Count:
    """A number, whether it is exact or the most there can be, and who says so."""

    number: int
    exact: bool
    source: str


def checkpoints(start: int, stop: int, every: int) -> int:
    """Return how many checkpoints the segment (start, stop] of a run leaves.

    One every so many steps, step 0 before the first, and the last of the run: only there may a
    segment end between two.
    """
    return (start == 0) + stop // every - start // every + (stop % every != 0)


class Lengths:
    """Numbers of instances and of steps under one config.

    Parameters
    ----------
    config
        The config.
    remade
        Outputs of the jobs to come: a table among them does not count as it is now.
    """

    def __init__(self, config: Config, remade: Collection[str]) -> None:
        self.config, self.remade = config, remade

    def stop(self, dataset: str, arrangement: str, seed: str, stop: str) -> Count | None:
        """Return the last step of a segment, of which `end` is the end of its run."""
        if stop != "end":
            return Count(int(stop), True, "train.steps")
        order = self._rows(f"results/arrangements/{dataset}/{arrangement}/seed-{seed}.parquet")
        its = self.config.arrangements[arrangement]
        instances = order or self.instances(dataset, "train")
        if instances is None:
            return None
        # Of rounds and budgets nobody knows how many instances they hold; all is the most.
        whole = order is not None or its.method != "tma"
        steps = -(-instances.number // self.config.train.batch_size)
        return Count(steps, instances.exact and whole, instances.source)

    def instances(self, dataset: str, split: str) -> Count | None:
        """Return how many instances a split has, or will have; None if nothing tells."""
        if found := self._rows(f"results/instances/{dataset}/{split}.parquet"):
            return found
        expected = self.config.tables.table4.expected.get(dataset, {}).get(split)
        if expected and expected.instances:
            return Count(expected.instances, True, f"tables.table4.expected.{dataset}.{split}")
        return self._most(dataset, split)

    def _most(self, dataset: str, split: str) -> Count | None:
        """Return what the settings of the sample leave room for."""
        settings: Any = self.config.data[dataset]
        sample, source = settings.sample, f"data.{dataset}.sample"
        if isinstance(sample, DialogueSampleSettings):
            if split == "heldout":
                return Count(sample.held_out, True, f"{source}.held_out")
            if settings.path or settings.hub:
                return None
            left = self.config.corpus.conversations - sample.held_out
            return Count(left, False, f"corpus.conversations - {source}.held_out")
        if isinstance(settings, chat.Settings) and split in ("train", "heldout"):
            # All else depends on how many rows the files have.
            held_out = settings.sample.held_out
            if split == "train" or settings.test_path or not isinstance(held_out, int):
                return None
            return Count(held_out, True, f"{source}.held_out")
        if split.startswith("generalist"):
            return Count(sample.generalist, True, f"{source}.generalist")
        if split.startswith("specialist") and isinstance(sample.unseen_tasks, int):
            most = sample.unseen_tasks * sample.specialist_per_task
            return Count(most, False, f"{source}.unseen_tasks x specialist_per_task")
        return None

    def _rows(self, path: str) -> Count | None:
        """Return the rows of a table that is there and stays."""
        if path in self.remade or not Path(path).is_file():
            return None
        with open_parquet(Path(path)) as file:
            return Count(file.metadata.num_rows, True, path)
