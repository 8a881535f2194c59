# A backbone is built here (tiny world), downloaded, or linked from your disk. The result is always an
# ordinary model folder. `exec`: as in rule train, SIGTERM must reach the training, which then writes a
# checkpoint. Nothing else can run while a tiny backbone is built, so it takes two cores. It has two threads
# on a single core, too, because the order of sums decides the weights.
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
    threads: 2
    params:
        settings=lambda w: dump(settings.backbone_settings(experiment, w.backbone)),
    shell:
        f"export OMP_NUM_THREADS=2 MKL_NUM_THREADS=2; {ONE_GPU}"
        " exec python -m repro backbone --settings {params.settings:q} --name {wildcards.backbone:q}"
        " --output {output.model:q} 2> {log:q}"
