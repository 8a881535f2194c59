# Problems: one JSONL file for each benchmark, with the fields of the real one, and train.jsonl.
rule data:
    input:
        lambda w: source_of_data(w.name),
    output:
        data=f"{RESULTS}/data/{{name}}.jsonl",
        record=f"{RESULTS}/data/{{name}}.provenance.json",
    log:
        f"work/log/{RESULTS}/data/{{name}}.log",
    benchmark:
        f"work/benchmark/{RESULTS}/data/{{name}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        settings=lambda w: dump(settings.data_settings(experiment, w.name)),
    shell:
        "python -m repro data --settings {params.settings:q} --output {output.data:q} 2> {log:q}"
