"""Arrange instruction data by its nearness to a test set and measure when generalization begins.

`from nearfirst import tma, wsd, arrange`: the order alone, on arrays, without the workflow. What
they take and return is in `nearfirst.api`, their types for a checker in `__init__.pyi`.
"""

from importlib import import_module

__all__ = ["InputError", "__version__", "arrange", "tma", "wsd"]


def __getattr__(name: str) -> object:
    # By their names as text: what is imported here, every program would rerun for.
    if name in __all__:
        return getattr(import_module("nearfirst.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
