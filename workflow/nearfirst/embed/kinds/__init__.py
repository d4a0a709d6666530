"""The kinds of representation, one module each: its `Settings` and the function `represent`."""
