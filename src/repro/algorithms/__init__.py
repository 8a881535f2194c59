"""Advantage estimators, one algorithm a file: pure functions on tensors."""

from importlib import import_module

from repro import methods

ADVANTAGES = {
    name: import_module(f"repro.algorithms.{name}").advantages for name in methods.ALGORITHMS
}
