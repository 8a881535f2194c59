# A backbone is built here (tiny world), downloaded, or linked from your disk. The result is always an
# ordinary model folder. `exec`: as in rule train, SIGTERM must reach the training, which then writes a
# checkpoint.
rule backbone:
    input:
        lambda w: source_of_backbone(w.backbone),
    output:
        model=directory(f"{RESULTS}/backbones/{{backbone}}"),
        record=f"{RESULTS}/backbones/{{backbone}}.provenance.json",
    log:
        f"work/log/{RESULTS}/backbones/{{backbone}}.log",
    benchmark:
        f"work/benchmark/{RESULTS}/backbones/{{backbone}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        settings=lambda w: dump(settings.backbone_settings(experiment, w.backbone)),
    shell:
        "exec python -m repro backbone --settings {params.settings:q} --name {wildcards.backbone:q}"
        " --output {output.model:q} 2> {log:q}"
