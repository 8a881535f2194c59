"""Hashes that say what something was made from; the short ones name folders under work/."""

import hashlib
import json
from pathlib import Path

from repro.files import model_folder


def of_values(values: object, length: int = 12) -> str:
    """Return a hash of anything that JSON can hold; in records that are kept it has 64 digits."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:length]


def to_integer(text: str, size: int = 6) -> int:
    """Return an integer of `size` bytes that a text decides, such as the seed of a sampling."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size], "big")


def of_model(folder: str | Path) -> str:
    """Return a hash of a model folder: weights, configuration, tokenizer, chat template."""
    files = model_folder.files(folder, trust_remote_code=True)
    return of_values([(path.name, of_content(path)) for path in files])


def of_content(path: str | Path) -> str:
    """Return the SHA-256 of a file, however large it is."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_tensors(folder: str | Path) -> dict[str, str]:
    """Return type, shape and SHA-256 of every tensor by name, in however many files they lie."""
    import torch
    from safetensors.torch import load_file

    found = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        for name, tensor in load_file(path).items():  # mapped, not read into memory
            content = tensor.contiguous().reshape(-1).view(torch.uint8).numpy()
            kind = str(tensor.dtype).removeprefix("torch.")
            found[name] = f"{kind} {[*tensor.shape]} {hashlib.sha256(content).hexdigest()}"
    return found
