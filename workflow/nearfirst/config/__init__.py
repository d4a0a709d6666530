"""The whole config as one typed model. Stage programs do not import it: each gets its own section.

- `model.py`: `Config`, every section with its defaults, and the settings of each run.
- `load.py`: `load`, which lays the user's config over its preset and validates the result;
  `check_repeats`, for the user's files.
- `rows.py`: rows of tables such as `data` and `figures`: their types, and `like: NAME`.
- `checks.py`: names in one section that refer to another.
- `sections.py`: merging and listing nested sections.
- `errors.py`: validation errors as one line for each key.
"""

from nearfirst.config.load import check_repeats, load
from nearfirst.config.model import TABLES, Config

__all__ = ["TABLES", "Config", "check_repeats", "load"]
