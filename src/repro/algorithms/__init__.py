"""Advantage estimators, one algorithm a file: pure functions on tensors."""

from importlib import import_module

from repro.methods import ALGORITHMS

ADVANTAGES = {name: import_module(f"repro.algorithms.{name}").advantages for name in ALGORITHMS}
