# What of the analysis needs a model: J along responses, and a case study.
# Each run's own model measures J along one response to each problem, for the figure of -J over the
# position and for two claims.
rule objective:
    input:
        model=f"{RUN}/model",
        generations=of_run("generations/{benchmark}.jsonl", OBJECTIVE),
        scores=of_run("scores/{benchmark}.json", OBJECTIVE),
        data=data_files(OBJECTIVE),
    output:
        f"{RUN}/objective.jsonl",
    log:
        f"work/log/{RUN}/objective.log",
    benchmark:
        f"work/benchmark/{RUN}/objective.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **experiment.resources.get("objective", {}),
        gpu=min(1, experiment.gpus),
    params:
        settings=lambda w: dump(settings.objective_settings(experiment, w.backbone)),
        benchmarks=OBJECTIVE,
        problems=experiment.objective.problems,
    shell:
        "python -m repro judge --settings {params.settings:q} --run $(dirname {output:q})"
        " --benchmark {params.benchmarks} --data {input.data:q} --problems {params.problems}"
        " --output {output:q} 2> {log:q}"


rule case_study:
    input:
        f"{CASE_RUN}/model",
        f"{CASE_RUN}/settings.json",
        expand(f"{CASE_RUN}/generations/{{benchmark}}.jsonl", benchmark=OBJECTIVE[:1]),
        expand(f"{CASE_RUN}/scores/{{benchmark}}.json", benchmark=OBJECTIVE[:1]),
        data=data_files(OBJECTIVE[:1]),
    output:
        png=report(
            f"{RESULTS}/figures/case_study.png",
            caption="../report/case_study.rst",
            category="2 Figures",
            labels={"figure": "case study", "over": "one thought"},
        ),
        pdf=f"{RESULTS}/figures/case_study.pdf",
        html=report(
            f"{RESULTS}/figures/case_study.html",
            caption="../report/case_study.rst",
            category="2 Figures",
            labels={"figure": "case study, its text", "over": "one thought"},
        ),
    log:
        f"work/log/{RESULTS}/figures/case_study.log",
    benchmark:
        f"work/benchmark/{RESULTS}/figures/case_study.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **experiment.resources.get("objective", {}),
        gpu=min(1, experiment.gpus),
    params:
        settings=lambda w: dump(
            settings.objective_settings(experiment, Path(CASE_RUN).parts[-3])
        ),
        run=lambda w, input: str(Path(input[0]).parent),
        benchmark=OBJECTIVE[:1],
        note=note,
    shell:
        "python -m repro case-study --settings {params.settings:q} --run {params.run:q}"
        " --benchmark {params.benchmark:q} --data {input.data:q} --note={params.note:q}"
        " --output {output.png:q} > {log:q} 2>&1"
