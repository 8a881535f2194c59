"""Advantage estimators, one algorithm a file: pure functions on tensors."""
