# Evaluation in two steps: generations are expensive and kept, scores can be recomputed at any time.
rule generate:
    input:
        model=f"{RUN}/model",
        settings=f"{RUN}/settings.json",
        data=data_files(BENCHMARKS),
    output:
        expand(
            f"{RUN}/generations/{{benchmark}}.jsonl",
            benchmark=BENCHMARKS,
            allow_missing=True,
        ),
    log:
        f"work/log/{RUN}/generate.log",
    conda:
        "../../environment.yml"
    resources:
        **reserved("generate"),
        gpu=layout.generation_gpus(config),
    params:
        settings=generation_settings,
        data=lambda w, input: str(Path(input.data[0]).parent),
        directory=folder_of_output,
    shell:
        "python -m repro generate --settings {params.settings:q} --run {input.settings:q}"
        " --model {input.model:q} --data {params.data:q}"
        " --output {params.directory:q}"
        f" --tensor-parallel {config['evaluation']['tensor_parallel']} 2> {{log:q}}"


rule score:
    input:
        generations=rules.generate.output,
        data=rules.generate.input.data,
    output:
        expand(
            f"{RUN}/scores/{{benchmark}}.json",
            benchmark=BENCHMARKS,
            allow_missing=True,
        ),
    log:
        f"work/log/{RUN}/score.log",
    conda:
        "../../environment.yml"
    resources:
        **reserved("score"),
    params:
        benchmarks=BENCHMARKS,
        samples=SAMPLES,
        sandbox=config["evaluation"]["sandbox"],
        timeout=config["evaluation"]["code_timeout_s"],
        thinking=lambda w: config["backbones"][w.backbone]["thinking"],
        directory=folder_of_output,
    shell:
        "python -m repro score --benchmark {params.benchmarks} --samples {params.samples}"
        " --sandbox {params.sandbox} --timeout {params.timeout} --thinking {params.thinking}"
        " --generations {input.generations:q} --data {input.data:q} --output {output:q}"
        " --provenance {params.directory:q}.provenance.json 2> {log:q}"
