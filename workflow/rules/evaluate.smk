# Evaluation has two steps, because responses are expensive and kept, while scores can be computed again
# at any time.
rule generate:
    input:
        model=f"{RUN}/model",
        settings=f"{RUN}/settings.json",
        data=data_files(BENCHMARKS),
    output:
        generations=of_run("generations/{benchmark}.jsonl", BENCHMARKS),
        record=f"{RUN}/generations.provenance.json",
    log:
        f"work/log/{RUN}/generate.log",
    benchmark:
        f"work/benchmark/{RUN}/generate.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **experiment.resources.get("generate", {}),
        gpu=experiment.generation_gpus,
    params:
        settings=generation_settings,
        data=lambda w, input: str(Path(input.data[0]).parent),
        directory=folder_of_output,
    shell:
        "python -m repro generate --settings {params.settings:q} --run {input.settings:q}"
        " --model {input.model:q} --data {params.data:q}"
        " --output {params.directory:q}"
        f" --tensor-parallel {experiment.evaluation.tensor_parallel} 2> {{log:q}}"


rule score:
    input:
        generations=rules.generate.output.generations,
        data=rules.generate.input.data,
    output:
        scores=of_run("scores/{benchmark}.json", BENCHMARKS),
        record=f"{RUN}/scores.provenance.json",
    log:
        f"work/log/{RUN}/score.log",
    benchmark:
        f"work/benchmark/{RUN}/score.tsv"
    conda:
        "../../environment.yml"
    threads: 1  # because several runs are scored at a time; profiles of clusters give more
    resources:
        **experiment.resources.get("score", {}),
    params:
        benchmarks=BENCHMARKS,
        samples=SAMPLES,
        sandbox=experiment.evaluation.sandbox,
        timeout=(
            f"--timeout {experiment.evaluation.code_timeout_s}"
            if experiment.evaluation.code_timeout_s
            else ""
        ),
        protocol=experiment.evaluation.protocol,
        thinking=lambda w: experiment.backbones[w.backbone].thinking,
    shell:
        "python -m repro score --benchmark {params.benchmarks} --samples {params.samples}"
        " --sandbox {params.sandbox} {params.timeout} --protocol {params.protocol} --thinking {params.thinking}"
        " --threads {threads} --generations {input.generations:q} --data {input.data:q}"
        " --output {output.scores:q} --provenance {output.record:q} 2> {log:q}"
