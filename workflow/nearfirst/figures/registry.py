"""The kinds of figure by name: each is one module of `figures/kinds/`."""

from nearfirst.common.named_modules import Registry
from nearfirst.figures.figure import Figure

KINDS = Registry[Figure]("nearfirst.figures.kinds", "kind")
