"""A method of the user's own: `method: my_orders.py:by_length`.

The function takes the pool (`nearfirst.arrange.pool.Pool`), the seed and the `parameters` as
keyword arguments, and returns indices of training instances in order.
"""

import ast
import runpy
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import Field, JsonValue, model_validator

from nearfirst.arrange.pool import Arranged, Pool
from nearfirst.arrange.settings import ArrangementSettings, Need
from nearfirst.common.errors import InputError
from nearfirst.common.named_modules import did_you_mean


class Settings(ArrangementSettings):
    """A function of the user's that returns the order."""

    method: str = Field(
        pattern=r"\.py:[A-Za-z_]\w*$", description="File and name of the function, `FILE.py:NAME`."
    )
    needs: list[Need] = Field(
        ["tasks", "messages"],
        description="The parts of the pool that the function reads; the others are left empty.",
    )
    parameters: dict[str, JsonValue] = Field({}, description="Keyword arguments of the function.")
    seeded: bool = Field(
        True,
        description="Whether the seed can change the order; if not, and if all seeds share a base "
        "model, a single run is trained.",
    )

    @model_validator(mode="after")
    def _function_exists(self) -> Self:
        # Parsed, not run: the Snakefile checks this at every start.
        path, name = self.source()
        if not path.is_file():
            raise ValueError(f"method: {path}: no such file")
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError) as error:
            raise ValueError(f"method: {path}: not valid Python ({error})") from None
        functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        if name not in functions:
            hint = did_you_mean(name, functions)
            raise ValueError(f"method: {path} has no function {name!r} at its top level{hint}")
        return self

    def source(self) -> tuple[Path, str]:
        """Return the file and the name of the function."""
        path, _, name = self.method.rpartition(":")
        return Path(path), name

    def required(self) -> frozenset[Need]:
        """Return `needs`."""
        return frozenset(self.needs)

    def is_seeded(self) -> bool:
        """Return `seeded`."""
        return self.seeded


def arrange(pool: Pool, settings: Settings, seed: int) -> Arranged:
    """Return the user's order; raises InputError if the file or the function raises."""
    path, name = settings.source()
    try:
        # The function may need the embeddings as an array in memory.
        pool = replace(pool, train=pool.train[:])
        function = runpy.run_path(str(path))[name]
        return Arranged(np.asarray(function(pool, seed=seed, **settings.parameters)))
    except (Exception, SystemExit) as error:
        source, frames = path.resolve(), traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == source]
        where = f" ({path}, line {lines[-1]})" if lines else ""
        given = ", ".join(settings.needs) or "nothing"
        raise InputError(
            f"method {settings.method!r} raised {type(error).__name__}: {error}{where}; of the "
            f"pool it was given {given} (key needs)"
        ) from error
