"""What the commands do that make a run's inputs: problems and backbones."""

import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from repro.commands.steps import WORK, read_settings
from repro.files import jsonl


def fetch(options) -> None:
    """Download benchmarks and training problems into a folder, for machines without a network."""
    from repro.benchmarks import declared, hub

    wanted = options.benchmarks or [n for n in declared.benchmarks() if n in declared.sources()]
    files = {name: Path(options.output) / f"{name}.jsonl" for name in wanted}
    hub.check_access([*files, declared.TRAIN])
    for name, file in files.items():
        hub.fetch(name, {}, file)
    hub.fetch(declared.TRAIN, {}, Path(options.output) / f"{declared.TRAIN}.jsonl", files)


def access(options) -> None:
    """Ask the hub whether everything may be downloaded; name all that may not."""
    from repro.benchmarks import hub

    hub.check_access(options.names)


def data(options) -> None:
    """Write one benchmark's problems as JSONL."""
    from repro.records import provenance

    started, what = datetime.now(UTC), read_settings(options.settings)
    if what["source"] == "hub":
        from repro.benchmarks import hub

        hub.fetch(what["name"], what, options.output)
    else:
        jsonl.write(options.output, local_problems(what))
    record = provenance.beside(options.output)
    sources = {"file": what["file"]} if what["source"] == "directory" else {}
    provenance.write(record, "data", what, sources, {"data": options.output}, started)


def training_data(options) -> None:
    """Write the training problems as JSONL, without those that occur in a benchmark."""
    from repro.benchmarks import contamination, hub
    from repro.records import provenance

    started, what = datetime.now(UTC), read_settings(options.settings)
    files = {Path(file).stem: file for file in options.benchmarks}
    if what["source"] == "hub":
        hub.fetch(what["name"], what, options.output, files)
    else:
        rows, report = contamination.filter_rows(local_problems(what), files)
        print(f"{options.output}: {contamination.summary(report)}", file=sys.stderr)
        jsonl.write_json(options.report, report)
        jsonl.write(options.output, rows)
    record = provenance.beside(options.output)
    sources = files | ({"file": what["file"]} if what["source"] == "directory" else {})
    provenance.write(record, "training_data", what, sources, {"data": options.output}, started)


def local_problems(what: dict) -> list[dict]:
    """Return problems that were generated or stand in a file."""
    from repro.tinyworld import problems

    if what["source"] == "directory":
        return jsonl.read(what["file"])[: what["problems"]]
    count = what["problems"] or problems.PROBLEMS[what["name"]]
    return problems.generate(what["name"], count, what["seed"])


def backbone(options) -> None:
    """Build a tiny backbone, or download one, into a model directory."""
    from repro.records import provenance

    started, what = datetime.now(UTC), read_settings(options.settings)
    settings, sources = {**what, "name": options.name}, {}
    template, trusted = what.pop("chat_template", None), what.get("trust_remote_code", False)
    if what["source"] == "hub":
        from huggingface_hub import snapshot_download

        from repro.files import model_folder

        snapshot_download(
            what["repo"],
            revision=what["revision"],
            local_dir=options.output,
            allow_patterns=model_folder.wanted(trusted),
        )
        model_folder.check_code(options.output, trusted)
    elif what["source"] == "directory":
        from repro.files import model_folder

        model_folder.take(what["path"], options.output, trusted)
        sources["folder"] = what["path"]
    else:
        from repro.training.supervised import build

        build(what, options.name, options.output, WORK / "backbones" / options.name)
    if template:  # transformers prefers this file to what the tokenizer's configuration holds
        shutil.copyfile(template, Path(options.output) / "chat_template.jinja")
        sources["chat_template"] = template
    record = provenance.beside(options.output)
    provenance.write(record, "backbone", settings, sources, {"backbone": options.output}, started)
