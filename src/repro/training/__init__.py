"""Reinforcement learning on TRL: one trainer, its callbacks and the `train` step."""

from repro.evaluation import vllm_environment

vllm_environment.prepare()  # before any module here imports TRL, which imports vLLM
