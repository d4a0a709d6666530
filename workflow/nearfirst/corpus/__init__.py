"""The generated corpora of the mini preset."""
