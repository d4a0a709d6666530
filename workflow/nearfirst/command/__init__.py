"""The command `nearfirst`, for those who train elsewhere."""
