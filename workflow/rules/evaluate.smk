# Evaluation in two steps: generations are expensive and kept, scores can be recomputed at any time.
rule generate:
    input:
        model=f"{RUN}/model",
        settings=f"{RUN}/settings.json",
        data=expand(f"{RESULTS}/data/{{benchmark}}.jsonl", benchmark=BENCHMARKS),
    output:
        expand(
            f"{RUN}/generations/{{benchmark}}.jsonl",
            benchmark=BENCHMARKS,
            allow_missing=True,
        ),
    params:
        settings=settings.dump(settings.generation_settings(config)),
    log:
        f"work/log/{RUN}/generate.log",
    shell:
        "python -m repro generate --settings {params.settings:q} --run {input.settings:q}"
        " --model {input.model:q} --data $(dirname {input.data[0]:q})"
        " --output $(dirname {output[0]:q}) 2> {log:q}"


rule score:
    input:
        generations=rules.generate.output,
        data=rules.generate.input.data,
    output:
        expand(
            f"{RUN}/scores/{{benchmark}}.json", benchmark=BENCHMARKS, allow_missing=True
        ),
    params:
        settings=settings.dump(settings.scoring_settings(config)),
        benchmarks=BENCHMARKS,
    log:
        f"work/log/{RUN}/score.log",
    shell:
        "python -m repro score --settings {params.settings:q} --benchmark {params.benchmarks}"
        " --generations {input.generations:q} --data {input.data:q} --output {output:q} 2> {log:q}"
