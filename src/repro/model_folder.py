"""A model that lies on the disk, as a backbone: checked before any job, and taken as it is."""

import shutil
from pathlib import Path

from repro import jsonl

FILES = ("*.json", "*.safetensors", "*.txt", "*.jinja", "*.model")  # what a model folder needs
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
INDEX = "model.safetensors.index.json"  # of weights in several files


def check(folder: str | Path, has_template: bool = False) -> None:
    """Refuse a folder that is no usable transformers model; nothing is loaded.

    Args:
        folder: with config.json, a tokenizer and weights as safetensors.
        has_template: whether a chat template is given from elsewhere.

    Raises:
        ValueError: something is missing; the message names folder and file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{str(folder)!r}: no such folder")
    if not (folder / "config.json").is_file():
        hint = "; an adapter has to be merged first" * (folder / "adapter_config.json").is_file()
        raise ValueError(f"{str(folder)!r} has no config.json{hint}")
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise ValueError(f"{str(folder)!r} has no tokenizer; allowed: {', '.join(TOKENIZERS)}")
    weights = {path.name for path in folder.glob("*.safetensors")}
    if not weights:
        raise ValueError(
            f"{str(folder)!r} has no *.safetensors; weights of other formats are not read, because "
            "a pickle runs code: save them with save_pretrained"
        )
    wanted = set(_read(folder / INDEX).get("weight_map", {}).values())
    if lacking := sorted(wanted - weights):
        raise ValueError(f"{str(folder)!r} has no {lacking[0]}, which its {INDEX} names")
    has_template = has_template or (folder / "chat_template.jinja").is_file()
    if not has_template and not _read(folder / "tokenizer_config.json").get("chat_template"):
        raise ValueError(
            f"{str(folder)!r} has no chat template, neither chat_template.jinja nor in "
            "tokenizer_config.json; give one as chat_template"
        )


def files(folder: str | Path) -> list[Path]:
    """Return the files of a model folder that are taken, in the order of their names."""
    return sorted({path for pattern in FILES for path in Path(folder).glob(pattern)})


def take(folder: str | Path, output_dir: str | Path) -> None:
    """Copy a model folder, its weights as links: they are large, and nobody writes to them."""
    output_dir = Path(output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    for path in files(folder):
        taken = output_dir / path.name
        taken.unlink(missing_ok=True)  # of an earlier call: a link must not be written through
        if path.suffix == ".safetensors":
            taken.symlink_to(path.absolute())
        else:
            shutil.copyfile(path, taken)


def _read(path: Path) -> dict:
    """Return a JSON object, {} where there is no such file."""
    return jsonl.read_json(path) if path.is_file() else {}
