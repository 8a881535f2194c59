"""Reinforcement learning on TRL: one trainer, its callbacks and the `train` step."""

from repro.evaluation import engines

engines.prepare_vllm()  # before any module here imports TRL, which imports vLLM
