"""The methods of `ordering.METHODS`, one module a family."""
