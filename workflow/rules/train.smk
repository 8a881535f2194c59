# A run is one backbone, one method and one seed. Checkpoints are below work/ and not declared, because
# Snakemake deletes the declared outputs of a killed job. Only the finished model is declared.
rule original:
    input:
        f"{RESULTS}/backbones/{{backbone}}",
    output:
        model=directory(f"{RESULTS}/runs/{{backbone}}/original/{{seed}}/model"),
        settings=f"{RESULTS}/runs/{{backbone}}/original/{{seed}}/settings.json",
    log:
        f"work/log/{RESULTS}/runs/{{backbone}}/original/{{seed}}.log",
    conda:
        "../../environment.yml"
    params:
        settings=lambda w: dump(
            settings.run_settings(experiment, w.backbone, "original", int(w.seed))
        ),
    shell:
        "ln -sr {input:q} {output.model:q} 2> {log:q};"
        " printf '%s\\n' {params.settings:q} > {output.settings:q}"


ruleorder: original > train


# `exec` replaces the shell by the training. Otherwise a scheduler's SIGTERM would end the shell, and the
# job with it, while the training still writes its checkpoint. MLflow gets the metrics of a short training
# from the rule `track` alone. Trainings come first, because a long job that is left for the end keeps all
# others waiting.
rule train:
    input:
        validation=data_files(VALIDATED),
        backbone=f"{RESULTS}/backbones/{{backbone}}",
        data=f"{RESULTS}/data/train.jsonl",
    output:
        settings=f"{RUN}/settings.json",
        model=directory(f"{RUN}/model"),
        metrics=f"{RUN}/training.jsonl",
        checkpoint=f"{RUN}/checkpoint.json",
        provenance=f"{RUN}/provenance.json",
        validation=[f"{RUN}/validation.jsonl"] if VALIDATED else [],
        along_the_way=[
            directory(f"{RUN}/{folder}")
            for folder, wanted in (
                ("validation", VALIDATED),
                ("checkpoints", experiment.training.keep),
            )
            if wanted
        ],
    log:
        f"work/log/{RUN}/train.log",
    benchmark:
        f"work/benchmark/{RUN}/train.tsv"
    priority: 1
    conda:
        "../../environment.yml"
    threads: PROCESSES
    resources:
        **experiment.resources.get("train", {}),
        gpu=experiment.gpus,
    params:
        settings=run_settings,
        directory=folder_of_output,
    shell:
        "printf '%s\\n' {params.settings:q} > {output.settings:q};"
        f" {LAUNCH} repro train"
        " --settings {output.settings:q} --backbone {input.backbone:q}"
        " --data {input.data:q} --output {params.directory:q}"
        " --sync-after 60 2> {log:q}"
