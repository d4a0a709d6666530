"""Writers of the mini preset's data sets, each in the published format of the real one."""
