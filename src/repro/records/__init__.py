"""Records of how results were made, and where two folders of results differ."""
