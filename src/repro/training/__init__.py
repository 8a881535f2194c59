"""Reinforcement learning on TRL: one trainer, its callbacks and the `train` step."""
