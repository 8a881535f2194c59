"""Reproduction pipeline for RePro, "Rectifying LLM Thought from Lens of Optimization"."""

__version__ = "0.1.0"
