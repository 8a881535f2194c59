"""Build a tiny backbone, or take one from the disk or the hub, into a model directory."""

import argparse
import shutil
from datetime import UTC, datetime
from pathlib import Path

from repro.commands.options import WORK, read_settings, require


def add_arguments(parser: argparse.ArgumentParser) -> None:
    require(parser, "settings", "name", "output")


def execute(options: argparse.Namespace) -> None:
    from repro.config.backbones import Backbone
    from repro.config.resolved import stated
    from repro.files import model_folder
    from repro.records import provenance

    started, backbone = datetime.now(UTC), read_settings(options.settings, Backbone)
    trusted, sources = backbone.trust_remote_code, {}
    if backbone.source == "hub":
        from huggingface_hub import snapshot_download

        snapshot_download(
            backbone.repo,
            revision=backbone.revision,
            local_dir=options.output,
            allow_patterns=model_folder.wanted(trusted),
        )
        model_folder.check_code(options.output, trusted)
    elif backbone.source == "directory":
        model_folder.take(backbone.path, options.output, trusted)
        sources["folder"] = backbone.path
    else:
        from repro.training import supervised

        supervised.build(backbone, options.name, options.output, WORK / "backbones" / options.name)
    if template := backbone.chat_template:  # transformers reads this file first
        shutil.copyfile(template, Path(options.output) / "chat_template.jinja")
        sources["chat_template"] = template
    record, made = provenance.beside(options.output), {"backbone": options.output}
    settings = {**stated(backbone), "name": options.name}
    provenance.write(record, "backbone", settings, sources, made, started)
