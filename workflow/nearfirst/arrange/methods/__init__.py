"""The methods of arranging, one module each: its `Settings` and the function `arrange`."""
