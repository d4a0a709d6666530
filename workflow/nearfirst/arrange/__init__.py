"""The order in which instances are seen, and which of them.

`nearfirst.arrange` is this package and, for users of the library, the function
`nearfirst.api.arrange`: calling the package calls the function.
"""

import sys
from importlib import import_module
from types import ModuleType


class _Callable(ModuleType):
    def __call__(self, *given: object, **named: object) -> object:
        # By its name as text: what is imported here, every arrangement would rerun for.
        return import_module("nearfirst.api").arrange(*given, **named)


sys.modules[__name__].__class__ = _Callable
