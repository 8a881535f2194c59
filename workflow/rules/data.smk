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


ruleorder: training_data > data


rule training_data:
    input:
        lambda w: source_of_data("train"),
        benchmarks=data_files(experiment.decontaminate),
    output:
        data=f"{RESULTS}/data/train.jsonl",
        record=f"{RESULTS}/data/train.provenance.json",
        report=f"{RESULTS}/data/train.contamination.json",
    log:
        f"work/log/{RESULTS}/data/train.log",
    benchmark:
        f"work/benchmark/{RESULTS}/data/train.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        settings=lambda w: dump(settings.data_settings(experiment, "train")),
    shell:
        "python -m repro data --settings {params.settings:q} --benchmarks {input.benchmarks:q}"
        " --output {output.data:q} 2> {log:q}"
