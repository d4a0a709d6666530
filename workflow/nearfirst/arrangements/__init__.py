"""The methods of `arrange.METHODS`, one module a family."""
