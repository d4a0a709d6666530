"""The order in which training instances are seen, and which of them are.

`nearfirst.arrange` is this package and, for users of the library, the function
`nearfirst.api.arrange`: calling the package calls the function.
"""

import sys
from importlib import import_module
from types import ModuleType


class _Callable(ModuleType):
    def __call__(self, *args: object, **kwargs: object) -> object:
        # Not an import statement: every arrangement would rerun after an edit of the module.
        return import_module("nearfirst.api").arrange(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
