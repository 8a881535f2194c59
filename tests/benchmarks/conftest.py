"""The real tokenizers, for the tests here."""

from tests.real_tokenizers import qwen3  # noqa: F401 (a fixture)
