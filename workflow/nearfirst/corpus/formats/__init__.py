"""The data sets of the mini preset, each written in the form in which the real one is published."""
