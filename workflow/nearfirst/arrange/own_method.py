"""A method of the user's own: `method: my_orders.py:by_length`.

The function takes the pool (`nearfirst.arrange.pool.Pool`) and the seed, and what `parameters`
holds, and returns indices of training instances in their order.
"""

import ast
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

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
        description="What of the pool the function looks at; what is not named is left empty.",
    )
    parameters: dict[str, JsonValue] = Field({}, description="Keyword arguments of the function.")
    seeded: bool = Field(
        True, description="Whether another seed can give another order; false trains one run."
    )

    @model_validator(mode="after")
    def _function_is_there(self) -> Self:
        # Read, not run: the Snakefile looks at this at every start.
        path, name = self.source()
        if not path.is_file():
            raise ValueError(f"method: {path}: no such file")
        try:
            parsed = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError) as error:
            raise ValueError(f"method: {path}: not Python that can be read ({error})") from None
        functions = [node.name for node in parsed.body if isinstance(node, ast.FunctionDef)]
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
    """Return the user's order; raises InputError if its file or the function raises."""
    path, name = settings.source()
    try:
        # A function may do with the embeddings what only a matrix in memory can.
        pool = replace(pool, train=pool.train[:])
        order = _load(path, name)(pool, seed=seed, **settings.parameters)
        return Arranged(np.asarray(order))
    except Exception as error:
        where = _line_of(error, path)
        raise InputError(
            f"method {settings.method!r} raised {type(error).__name__}: {error}{where}"
        ) from error


def _load(path: Path, name: str) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[..., Any] = getattr(module, name)
    return function


def _line_of(error: Exception, path: Path) -> str:
    """Return the last line of the user's file that the error came through."""
    traceback, line = error.__traceback__, None
    while traceback:
        if Path(traceback.tb_frame.f_code.co_filename).resolve() == path.resolve():
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return f" ({path}, line {line})" if line else ""
