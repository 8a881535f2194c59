# The whole experiment: config -> data -> backbone -> train -> generate -> score -> tables, figures.
# `make reproduce` runs the target `all`. For another experiment name another configuration file, such as
# --configfile config/paper.yaml
from snakemake.utils import min_version

min_version("9.0")

# Used only without --configfile, because Snakemake would merge the two files, and each is a whole
# experiment. An archive has its own.
if not workflow.configfiles and "from_archive" not in config:

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"


# Of an archive everything is there that the analysis reads.
if not ARCHIVE:

    include: "workflow/rules/data.smk"
    include: "workflow/rules/backbone.smk"
    include: "workflow/rules/train.smk"
    include: "workflow/rules/evaluate.smk"
    include: "workflow/rules/judge.smk"


include: "workflow/rules/analyse.smk"


if not ARCHIVE:

    include: "workflow/rules/track.smk"


localrules:
    all,
    fetch,
    tables,
    figures,
    ablation_alpha,
    ablation_w,
    ablation_k,
    ablations,
    experiment,


# Before the first job: create MLflow's store and experiment, because several jobs that do it at once crash
# on its tables.
onstart:
    if not ARCHIVE:
        shell("python -m repro store")


# What was computed again of an archive is compared with what it holds.
onsuccess:
    if ARCHIVE:
        print("\n".join(["", f"{RESULTS}, from {ARCHIVE}:", *TAKEN_AND_REMADE]))
        shell("python -m repro compare {ARCHIVE:q} {RESULTS:q}")


# Downloads everything that an experiment needs from the hub. Afterwards no job needs a network.
rule fetch:
    input:
        data_files(settings.data_names(experiment)),
        expand(f"{RESULTS}/backbones/{{backbone}}", backbone=experiment.backbones),


rule tables:
    input:
        rules.write_tables.output,


rule figures:
    input:
        expand(f"{RESULTS}/figures/{{name}}.png", name=DRAWN),


# The figure of one ablation, and only the runs that it needs.
rule ablation_alpha:
    input:
        f"{RESULTS}/figures/ablation_alpha.png",


rule ablation_w:
    input:
        f"{RESULTS}/figures/figure4_ablation_w.png",


rule ablation_k:
    input:
        f"{RESULTS}/figures/ablation_k.png",


rule ablations:
    input:
        expand(f"{RESULTS}/figures/{{name}}.png", name=ABLATION_FIGURES.values()),


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        rules.claims.output,
        rules.overview.output,
        tracked_of(settings.all_runs(experiment)),
        [] if ARCHIVE else rules.track_summary.output,
