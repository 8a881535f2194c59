"""The embedded world: generated arithmetic, and small backbones that overthink it.

It exists so that the whole experiment runs on two CPU cores. Its numbers are never the paper's.
"""

CONTEXT = 8192  # tokens: the longest real benchmark problems, spelled in small pieces, fit
