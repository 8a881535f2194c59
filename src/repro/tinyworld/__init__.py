"""The embedded world: generated arithmetic, and small backbones that overthink it.

It exists so that the whole experiment runs on two CPU cores. Its numbers are never the paper's.
"""
