"""Files of rows, read as streams."""
