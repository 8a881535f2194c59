# Problems: one JSONL file for each benchmark, with the benchmark's own fields, and train.jsonl.
rule data:
    input:
        source_of_data,
    output:
        f"{RESULTS}/data/{{name}}.jsonl",
    log:
        f"work/log/{RESULTS}/data/{{name}}.log",
    conda:
        "../../environment.yml"
    params:
        settings=lambda w: settings.dump(settings.data_settings(config, w.name)),
    shell:
        "python -m repro data --settings {params.settings:q} --output {output:q} 2> {log:q}"
