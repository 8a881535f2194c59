"""Build a tiny backbone, or take one from the disk or the hub, into a model directory."""

import argparse
import shutil
from datetime import UTC, datetime
from pathlib import Path

from repro.commands.options import WORK, read_settings, require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "settings", "name", "output")


def execute(options: argparse.Namespace) -> None:
    from repro.files import model_folder
    from repro.records import provenance

    started, settings = datetime.now(UTC), read_settings(options.settings)
    trusted, sources = settings.get("trust_remote_code", False), {}
    if settings["source"] == "hub":
        from huggingface_hub import snapshot_download

        snapshot_download(
            settings["repo"],
            revision=settings["revision"],
            local_dir=options.output,
            allow_patterns=model_folder.wanted(trusted),
        )
        model_folder.check_code(options.output, trusted)
    elif settings["source"] == "directory":
        model_folder.take(settings["path"], options.output, trusted)
        sources["folder"] = settings["path"]
    else:
        from repro.training import supervised

        recipe = {key: value for key, value in settings.items() if key != "chat_template"}
        supervised.build(recipe, options.name, options.output, WORK / "backbones" / options.name)
    if template := settings.get("chat_template"):  # transformers reads this file first
        shutil.copyfile(template, Path(options.output) / "chat_template.jinja")
        sources["chat_template"] = template
    record, made = provenance.beside(options.output), {"backbone": options.output}
    stated = {**settings, "name": options.name}
    provenance.write(record, "backbone", stated, sources, made, started)
