# Problems: one JSONL file for each benchmark, with the benchmark's own fields, and train.jsonl.
rule access:
    output:
        touch(f"{RESULTS}/data/.access"),
    log:
        f"work/log/{RESULTS}/data/access.log",
    conda:
        "../../environment.yml"
    params:
        names=settings.hub_names(config),
    shell:
        "python -m repro access --names {params.names} 2> {log:q}"


rule data:
    input:
        lambda w: source_of_data(w.name),
        rules.access.output if config["data_source"] == "hub" else [],
    output:
        data=f"{RESULTS}/data/{{name}}.jsonl",
        record=f"{RESULTS}/data/{{name}}.provenance.json",
    log:
        f"work/log/{RESULTS}/data/{{name}}.log",
    conda:
        "../../environment.yml"
    params:
        settings=lambda w: settings.dump(settings.data_settings(config, w.name)),
    shell:
        "python -m repro data --settings {params.settings:q} --output {output.data:q} 2> {log:q}"


ruleorder: training_data > data


rule training_data:
    input:
        lambda w: source_of_data("train"),
        rules.access.output if config["data_source"] == "hub" else [],
        benchmarks=data_files(config["decontaminate"]),
    output:
        data=f"{RESULTS}/data/train.jsonl",
        record=f"{RESULTS}/data/train.provenance.json",
        report=f"{RESULTS}/data/train.contamination.json",
    log:
        f"work/log/{RESULTS}/data/train.log",
    conda:
        "../../environment.yml"
    params:
        settings=lambda w: settings.dump(settings.data_settings(config, "train")),
    shell:
        "python -m repro training_data --settings {params.settings:q} --benchmarks {input.benchmarks:q}"
        " --report {output.report:q} --output {output.data:q} 2> {log:q}"
