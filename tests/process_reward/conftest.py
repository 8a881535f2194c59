"""The real tokenizers, for the tests here."""

from tests.real_tokenizers import deepseek, qwen3  # noqa: F401 (fixtures)
