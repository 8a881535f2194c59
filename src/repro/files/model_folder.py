"""A model that lies on the disk, as a backbone: checked before any job, and taken as it is."""

import shutil
from pathlib import Path

from repro.files import jsonl

FILES = ("*.json", "*.safetensors", "*.txt", "*.jinja", "*.model")  # what a model folder needs
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
CODE = "*.py"  # taken only where the configuration trusts it
INDEX = "model.safetensors.index.json"  # of weights in several files


def check(folder: str | Path, has_template: bool = False, trust_remote_code: bool = False) -> None:
    """Refuse, by ValueError, a folder that is no usable transformers model; nothing is loaded.

    `has_template` says that a chat template is given from elsewhere, `trust_remote_code` that
    Python files of the folder may run.
    """
    try:
        lack = _find_lack(Path(folder), has_template)
    except OSError as error:
        where = Path(str(error.filename)).name[:40]
        lack = f": {where}: {error.strerror}; wanted: a model folder that can be read"
    if lack:
        raise ValueError(f"{str(folder)!r}{lack}")
    check_code(folder, trust_remote_code)


def check_code(folder: str | Path, trust_remote_code: bool) -> None:
    """Refuse, by ValueError, a model that needs code which is not trusted, not there or elsewhere.

    An architecture that transformers has itself needs no code of the folder.
    """
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES  # takes seconds

    for file in ("config.json", "tokenizer_config.json"):
        settings = jsonl.read_json(Path(folder) / file, {})
        known = settings.get("model_type") in CONFIG_MAPPING_NAMES
        needed = file == "config.json" and not known
        named = (settings.get("auto_map") or {}).values()
        for code in [c for e in named for c in (e if isinstance(e, list) else [e]) if c]:
            module = code.partition(".")[0]
            if trust_remote_code and "--" in module:  # REPOSITORY--MODULE: whatever that holds
                lack = f": {file} names {code}, code of another repository, which is not pinned"
            elif trust_remote_code and not (Path(folder) / f"{module}.py").is_file():
                lack = f" has no {module}.py, which its {file} names"
            elif needed and not trust_remote_code:
                lack = f" needs code of its own, {code}, which {file} names; it is run only where "
                lack += "the backbone's trust_remote_code is true, after you read it"
            else:
                continue
            raise ValueError(f"{str(folder)!r}{lack}")


def read_size(folder: str | Path, key: str) -> int | None:
    """Return a whole number of a model's config.json; None where it is not there."""
    settings = jsonl.read_json(Path(folder) / "config.json", {})
    return (settings.get("text_config") or settings).get(key)


def files(folder: str | Path, trust_remote_code: bool = False) -> list[Path]:
    """Return the files of a model folder that are taken, in the order of their names."""
    patterns = wanted(trust_remote_code)
    return sorted({path for pattern in patterns for path in Path(folder).glob(pattern)})


def wanted(trust_remote_code: bool = False) -> list[str]:
    """Return the patterns of the files that are taken, of a folder or of a repository."""
    return [*FILES, CODE] if trust_remote_code else [*FILES]


def take(folder: str | Path, output_dir: str | Path, trust_remote_code: bool = False) -> None:
    """Copy a model folder, its weights as links: they are large, and nobody writes to them."""
    Path(output_dir).mkdir(parents=True, exist_ok=True)
    for path in files(folder, trust_remote_code):
        taken = Path(output_dir, path.name)
        taken.unlink(missing_ok=True)  # of an earlier call: a link must not be written through
        if path.suffix == ".safetensors":
            taken.symlink_to(path.absolute())
        else:
            shutil.copyfile(path, taken)


def link(source: str | Path, target: str | Path) -> None:
    """Make a hard link or, on another file system or one without links, a copy."""
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _find_lack(folder: Path, has_template: bool) -> str | None:
    """Return what is wrong with a folder, to stand behind its name."""
    if not folder.is_dir():
        return ": no such folder"
    if not (folder / "config.json").is_file():
        hint = "; an adapter has to be merged first" * (folder / "adapter_config.json").is_file()
        return f" has no config.json{hint}"
    if not any((folder / name).is_file() for name in TOKENIZERS):
        return f" has no tokenizer; allowed: {', '.join(TOKENIZERS)}"
    weights = {path.name for path in folder.glob("*.safetensors")}
    if not weights:
        why = "weights of other formats are not read, because a pickle runs code"
        return f" has no *.safetensors; {why}: save them with save_pretrained"
    parts = jsonl.read_json(folder / INDEX, {}).get("weight_map", {})
    if lacking := sorted({*parts.values()} - weights):
        return f" has no {lacking[0]}, which its {INDEX} names"
    for path in files(folder):
        path.open("rb").close()  # refuses what is unreadable, or a link to nowhere
    in_tokenizer = jsonl.read_json(folder / "tokenizer_config.json", {}).get("chat_template")
    if not (has_template or in_tokenizer or (folder / "chat_template.jinja").is_file()):
        where = "neither chat_template.jinja nor in tokenizer_config.json"
        return f" has no chat template, {where}; give one as chat_template"
    return None
