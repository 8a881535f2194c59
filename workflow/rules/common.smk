# Reads the configuration, checks it before anything runs, and defines the functions that give the rules
# their inputs and params.
import os
from pathlib import Path
from shlex import quote

from snakemake.exceptions import WorkflowError

from repro import methods
from repro.benchmarks import declared
from repro.config import settings
from repro.config.resolved import dump
from repro.files import model_folder, strict_yaml
from repro.records import archive

PAPER = str(Path(workflow.basedir) / "config/paper_results.csv")
SOURCES = [str(file) for file in workflow.configfiles]
SOURCES += ["--config"] if workflow.config_settings.config else []
# With --config from_archive=FILE an archive's scores and logs take the place of an experiment; see
# docs/archive.md.
ARCHIVE = config.get("from_archive")

try:
    if workflow.is_main_process:  # jobs on other machines get a checked configuration
        from repro.report import published as paper

        for file in workflow.configfiles:
            strict_yaml.read(file)
        paper.load(PAPER)
    if ARCHIVE:
        if len(config) > 1:
            raise ValueError(
                f"from_archive goes alone: {ARCHIVE} has its own configuration"
            )
        name = Path(ARCHIVE).name.removesuffix(archive.ENDING)
        place = Path("results/from_archive", name)
        if workflow.is_main_process and archive.unpack(ARCHIVE, place):
            for file in [
                *place.glob("experiment.json"),
                *place.glob("tables/*"),
                *place.glob("figures/*"),
            ]:
                if file.stem not in ("case_study", "overthinking"):
                    file.unlink()  # it is computed again
        packed = archive.read_about(place)
        config = packed.config | {"results_dir": str(place)}
        SOURCES = [ARCHIVE]
    experiment = settings.resolve(
        config,
        source=" + ".join(SOURCES),
        read_data=workflow.is_main_process and not ARCHIVE,
    )
except (ValueError, FileNotFoundError) as error:
    raise WorkflowError(str(error))

# What makes a file of the results, whose path is to be added; the ledger has it.
CHANGES = [f"{key}={value}" for key, value in workflow.config_settings.config.items()]
COMMAND = [
    "snakemake --workflow-profile workflow/profiles/default --cores all --configfile"
]
COMMAND += [
    quote(os.path.relpath(file, workflow.basedir)) for file in workflow.configfiles
]
COMMAND += ["--config", *map(quote, CHANGES)] if CHANGES else []
COMMAND = " ".join([*COMMAND, "--", experiment.results_dir])
TAKEN_AND_REMADE = []
if ARCHIVE:
    COMMAND = packed.command
    TAKEN_AND_REMADE = [
        "Computed again: tables, figures, verdicts, report, from scores, logs and objectives.",
        "Taken as they are: scores, logs, objectives, the case study"
        + ("." if packed.with_texts else ", the table overthinking."),
    ]

# Every command gets these variables. PYTHONPATH: jobs that run in conda or a container must find the
# package, too. CUDA_VISIBLE_DEVICES: a job that reserved no GPU must not use one that others reserved.
# The others are not params, because Snakemake reruns a job when its params change: moving the tracking
# server must not retrain anything, nor another way to call the same experiment make its tables again.
VARIABLES = {
    "MLFLOW_TRACKING_URI": experiment.tracking_uri,
    "MLFLOW_EXPERIMENT_NAME": experiment.name,
    "REPRO_COMMAND": COMMAND,
}
VARIABLES = " ".join(f"{key}={quote(value)}" for key, value in VARIABLES.items())
shell.prefix(
    f"export PYTHONPATH={quote(str(Path(workflow.basedir) / 'src'))}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; "
    + ("" if experiment.gpus else "export CUDA_VISIBLE_DEVICES=; ")
    + f"export {VARIABLES.replace('{', '{{').replace('}', '}}')}; "
)

# How a training is spread over processes is not a param either, because finished trainings must not run
# again for it. The processes divide the threads of their job: torch reads them from these variables.
PROCESSES = experiment.processes
STRATEGY = experiment.training.parallel.strategy
ACCELERATE = Path(workflow.basedir) / f"config/accelerate/{STRATEGY}.yaml"
# One process takes one GPU, where it sees several that nobody gave it: transformers would spread over all.
# Several have an hour to end after SIGTERM, in place of 30 seconds, unless a scheduler kills them before.
ONE_GPU = "export CUDA_VISIBLE_DEVICES=${{CUDA_VISIBLE_DEVICES-0}};"
SHARE = f"$((({{threads}} + {PROCESSES} - 1) / {PROCESSES}))"
LAUNCH = (
    f"{ONE_GPU} exec python -m"
    if PROCESSES == 1
    else (
        f"export OMP_NUM_THREADS={SHARE} MKL_NUM_THREADS={SHARE};"
        " export TORCH_ELASTIC_SHUTDOWN_TIMEOUT=3600;"
        f" exec accelerate launch --config_file {quote(str(ACCELERATE))} --num_processes {PROCESSES}"
        " --main_process_port 0 --module"
    )
)

RESULTS = experiment.results_dir
RUN = f"{RESULTS}/runs/{{backbone}}/{{method}}/{{seed}}"
BENCHMARKS = sorted(
    experiment.benchmarks
)  # so that their order in a file changes no result
# Samples for each problem, in the order of BENCHMARKS.
SAMPLES = [experiment.benchmarks[benchmark].samples for benchmark in BENCHMARKS]
# What commands measure over several responses. A param of these rules, so that other budgets score nothing
# again.
BUDGETS = ["--budgets", *experiment.evaluation.budgets]
CUTOFFS = [*BUDGETS, "--at-k", *experiment.evaluation.at_k]
# The tables show the paper's numbers beside ours, but not beside those of the tiny world.
PUBLISHED = [] if experiment.data_source == "tinyworld" else [local(PAPER)]
# Benchmarks that are asked during training.
VALIDATION = experiment.training.validation
VALIDATED = VALIDATION.benchmarks if VALIDATION else []
OBJECTIVE = [name for name in experiment.objective.benchmarks if name in BENCHMARKS]
UNTRAINED = [run for run in settings.main_runs(experiment) if run.method == "original"]
TRAINED = [run for run in settings.main_runs(experiment) if run.method != "original"]
# The case study shows the first run with RePro, or another one where none has it.
JUDGED = sorted(
    settings.objective_runs(experiment),
    key=lambda run: not methods.parse(run.method).repro,
)
CASE_RUN = f"{RESULTS}/runs/{JUDGED[0].path if JUDGED else None}"
# Ablations and rivals are about accuracy in domain.
MATHEMATICS = any(declared.benchmarks()[name].in_domain for name in BENCHMARKS)
ABLATIONS = [
    key for key in methods.ABLATED if getattr(experiment.ablations, key) and MATHEMATICS
]
# What each figure shows, over what: its labels in the report. The paper's have its numbers.
FIGURES = {"figure6_tokens_per_benchmark": ("tokens", "benchmarks")}
if TRAINED:
    FIGURES |= {
        "figure3_tokens_over_training": ("tokens", "training"),
        "figure5_backtracking_over_training": ("backtracking", "training"),
        "accuracy_over_training": ("accuracy", "training"),
    }
    if experiment.evaluation.budgets:
        FIGURES["accuracy_within_budget"] = ("accuracy", "budgets")
if OBJECTIVE and JUDGED:
    FIGURES |= {
        "figure2_objective_over_tokens": ("-J", "position (tokens)"),
        "figure2_objective_over_position": ("-J", "position in the thought"),
    }
ABLATION_FIGURES = {
    key: "figure4_ablation_w" if key == "w" else f"ablation_{key}" for key in ABLATIONS
}
FIGURES |= {name: ("ablation", key) for key, name in ABLATION_FIGURES.items()}
# The runs whose thoughts are counted by their arithmetic, which is known in the tiny world only.
THOUGHTS = []
if experiment.data_source == "tinyworld" and not (ARCHIVE and not packed.with_texts):
    THOUGHTS = settings.main_runs(experiment)
# Whether the grid has RePro and its controls or rivals, beside the algorithm alone.
RULES = {
    methods.parse(run.method).rule
    for run in TRAINED
    if run._replace(method=methods.plain_algorithm(run.method)) in TRAINED
}
RIVALS = MATHEMATICS and {"repro"} < RULES - {None}
if RIVALS:
    FIGURES["rivals"] = ("accuracy gained", "tokens saved")
DRAWN = [*FIGURES, *(["case_study"] if OBJECTIVE and JUDGED else [])]


wildcard_constraints:
    backbone="[^/]+",
    method="[^/]+",
    seed=r"\d+",
    name="[^/]+",
    figure="|".join(FIGURES),


def run_settings(wildcards):
    """Return the resolved settings of one run as JSON: only what changes here is run again."""
    return dump(
        settings.run_settings(
            experiment, wildcards.backbone, wildcards.method, int(wildcards.seed)
        )
    )


def note(wildcards):
    """Return the sentence below tables and figures; a function, because it may contain braces."""
    return experiment.note


def generation_settings(wildcards):
    """Return what decides a run's responses as JSON."""
    return dump(settings.generation_settings(experiment, int(wildcards.seed)))


# Inputs that come from outside results/. `local()` marks them as present on the submitting machine
# only; on a cluster without a shared file system the rules that read them run there.
def source_of_data(name):
    """Return the file that problems are read from; others are generated or downloaded."""
    file = settings.data_settings(experiment, name).file
    return local(file) if file else []


def source_of_backbone(name):
    """Return the files of a backbone that lie on the disk."""
    backbone = experiment.backbones[name]
    files = [backbone.chat_template] if backbone.chat_template else []
    if backbone.source == "gguf":
        files.append(backbone.path)
    if backbone.source == "directory":
        files += model_folder.files(backbone.path, backbone.trust_remote_code)
    return [local(str(file)) for file in files]


def data_files(names):
    """Return the problems of benchmarks, or of the training set."""
    return expand(f"{RESULTS}/data/{{name}}.jsonl", name=names)


def folder_of_output(wildcards, output):
    """Return the folder that a command writes its outputs into."""
    return str(Path(output[0]).parent)


def run_dirs(runs):
    """Return the directories of runs, for the analysis commands."""
    return [f"{RESULTS}/runs/{run.path}" for run in runs]


def published(wildcards, input):
    """Return the option that sets the paper's numbers beside ours."""
    return f"--published {quote(str(PUBLISHED[0]))}" if PUBLISHED else ""


def of_run(path, benchmarks):
    """Return a path below a run, for several benchmarks."""
    return expand(f"{RUN}/{path}", benchmark=benchmarks, allow_missing=True)


def objectives_of(runs):
    """Return the objectives of runs, where mathematics is evaluated at all."""
    return expand("{run}/objective.jsonl", run=run_dirs(runs)) if OBJECTIVE else []


def scores_of(runs):
    """Return the score files of runs."""
    return expand(
        "{run}/scores/{benchmark}.json", run=run_dirs(runs), benchmark=BENCHMARKS
    )


def settings_of(runs):
    """Return the settings of runs."""
    return expand("{run}/settings.json", run=run_dirs(runs))


def curves_of(runs):
    """Return the training metrics of those runs that were trained."""
    trained = [run for run in runs if run.method != "original"]
    return expand("{run}/training.jsonl", run=run_dirs(trained))


def checkpoints_of(runs):
    """Return what says which step's model those runs that were trained evaluate."""
    trained = [run for run in runs if run.method != "original"]
    return expand("{run}/checkpoint.json", run=run_dirs(trained))


def validation_of(runs):
    """Return the responses to the validation problems of those runs that were trained, measured."""
    trained = [run for run in runs if VALIDATED and run.method != "original"]
    return expand("{run}/validation.jsonl", run=run_dirs(trained))


def provenance_of(runs):
    """Return what those runs that were trained recorded of their making."""
    trained = [run for run in runs if run.method != "original"]
    return expand("{run}/provenance.json", run=run_dirs(trained))


def records_of_training(wildcards):
    """Return what a run's training left behind; `original` is not trained."""
    if wildcards.method == "original":
        return []
    return [f"{RUN}/training.jsonl", f"{RUN}/provenance.json"]


def tracked_of(runs):
    """Return the files that say where MLflow has the runs."""
    return [] if ARCHIVE else expand("{run}/mlflow.json", run=run_dirs(runs))


def readable(files):
    """Return those of the tables' files that MLflow shows as tables."""
    return [file for file in files if file.endswith((".csv", ".md"))]


def figure_inputs(wildcards):
    """Return the files that a figure is drawn from, of only those runs that it shows."""
    shown, over = FIGURES[wildcards.figure]
    if shown == "ablation":
        runs = settings.ablation_runs(experiment, over)
        return scores_of(runs) + settings_of(runs)
    if over == "training":
        runs = settings.main_runs(experiment)
        return curves_of(runs) + validation_of(runs)
    if shown == "-J":
        return objectives_of(settings.objective_runs(experiment))
    return scores_of(settings.main_runs(experiment))


def figure_cutoffs(wildcards):
    """Return the budgets of the figure that is drawn over them."""
    return BUDGETS if FIGURES[wildcards.figure][1] == "budgets" else ""


def figure_labels(wildcards):
    """Return what the report calls a figure: what it shows, over what."""
    shown, over = FIGURES[wildcards.figure]
    return {"figure": shown, "over": over}
