# Tables, figures and the report. Each is one command that reads only the files named in its rule.
# Rule `experiment` writes the lists of runs and benchmarks and the note, which the commands below read.
rule experiment:
    output:
        f"{RESULTS}/experiment.json",
    log:
        f"work/log/{RESULTS}/experiment.log",
    conda:
        "../../environment.yml"
    params:
        record=lambda w: dump(settings.experiment_record(experiment)),
    shell:
        "printf '%s\\n' {params.record:q} > {output:q} 2> {log:q}"


rule write_tables:
    input:
        scores_of(settings.main_runs(experiment)),
        settings_of(settings.main_runs(experiment)),
        checkpoints_of(settings.main_runs(experiment)),
        expand(
            "{run}/generations/{benchmark}.jsonl",
            run=run_dirs(THOUGHTS),
            benchmark=BENCHMARKS,
        ),
        PUBLISHED,
        experiment=rules.experiment.output,
    output:
        expand(
            f"{RESULTS}/tables/{{table}}.{{kind}}",
            table=[
                "main",
                "main_math_verify",
                "gain",
                "against_original",
                "tokens",
                "backtracking",
                "sampling",
                *(["overthinking"] if THOUGHTS else []),
                *(["rivals"] if RIVALS else []),
            ],
            kind=["csv", "md"],
        ),
    log:
        f"work/log/{RESULTS}/tables/main.log",
    benchmark:
        f"work/benchmark/{RESULTS}/tables/main.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        directory=folder_of_output,
        published=published,
        thoughts="--thoughts" if THOUGHTS else "",
        cutoffs=CUTOFFS,
    shell:
        "python -m repro tables --experiment {input.experiment:q} {params.published} {params.thoughts}"
        " {params.cutoffs} --output {params.directory:q} 2> {log:q}"


# Tables of the finished runs, which name the missing ones. The rule declares no output, so it runs
# whenever it is called by name.
rule tables_partial:
    input:
        experiment=rules.experiment.output,
    log:
        f"work/log/{RESULTS}/tables_partial.log",
    conda:
        "../../environment.yml"
    params:
        published=published,
        directory=f"{RESULTS}/tables_partial",
        cutoffs=CUTOFFS,
    shell:
        "python -m repro tables --partial --experiment {input.experiment:q} {params.published}"
        " {params.cutoffs} --output {params.directory:q} 2> {log:q}"


# Whether the untrained backbones are where other publications found them: before GPU-weeks are spent.
# The rule declares no output, so it runs whenever it is called by name; it trains nothing.
rule sanity:
    input:
        scores_of(UNTRAINED),
        experiment=rules.experiment.output,
        published=local(PAPER),
    log:
        f"work/log/{RESULTS}/sanity.log",
    conda:
        "../../environment.yml"
    shell:
        "python -m repro sanity --experiment {input.experiment:q} --published {input.published:q}"
        " 2>&1 | tee {log:q}"


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


rule claims:
    input:
        scores_of(settings.all_runs(experiment)),
        settings_of(settings.all_runs(experiment)),
        curves_of(settings.all_runs(experiment)),
        objectives_of(settings.objective_runs(experiment)),
        experiment=rules.experiment.output,
    output:
        expand(f"{RESULTS}/tables/claims.{{kind}}", kind=["md", "csv", "json"]),
    log:
        f"work/log/{RESULTS}/tables/claims.log",
    benchmark:
        f"work/benchmark/{RESULTS}/tables/claims.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        directory=folder_of_output,
    shell:
        "python -m repro claims --experiment {input.experiment:q} --output {params.directory:q}"
        " > {log:q} 2>&1"


rule figure:
    input:
        figure_inputs,
        experiment=rules.experiment.output,
    output:
        png=report(
            f"{RESULTS}/figures/{{figure}}.png",
            caption="../report/figure.rst",
            category="2 Figures",
            labels=figure_labels,
        ),
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
    log:
        f"work/log/{RESULTS}/figures/{{figure}}.log",
    benchmark:
        f"work/benchmark/{RESULTS}/figures/{{figure}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        cutoffs=figure_cutoffs,
    shell:
        "python -m repro figure {wildcards.figure} --experiment {input.experiment:q} {params.cutoffs}"
        " --output {output.png:q} 2> {log:q}"


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


# The report's first page. `make report` puts it and the figures into one file.
rule overview:
    input:
        rules.write_tables.output,
        rules.claims.output,
        scores_of(settings.all_runs(experiment)),
        settings_of(settings.all_runs(experiment)),
        curves_of(settings.all_runs(experiment)),
        provenance_of(settings.all_runs(experiment)),
        objectives_of(settings.objective_runs(experiment)),
        PUBLISHED,
        tracked_of(settings.all_runs(experiment)),
        figures=expand(f"{RESULTS}/figures/{{name}}.png", name=DRAWN),
        experiment=rules.experiment.output,
    output:
        overview=report(
            f"{RESULTS}/report/overview.html",
            caption="../report/overview.rst",
            category="1 The answer",
            labels={"page": "overview"},
        ),
        # workflow/report/workflow.rst shows this page where the report opens.
        opening=f"{RESULTS}/report/opening.html",
    log:
        f"work/log/{RESULTS}/report/overview.log",
    benchmark:
        f"work/benchmark/{RESULTS}/report/overview.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        directory=folder_of_output,
        tables=lambda w, input: str(Path(input[0]).parent),
        published=published,
    shell:
        "python -m repro overview --experiment {input.experiment:q} --tables {params.tables:q}"
        " {params.published} --figures {input.figures:q} --output {params.directory:q} 2> {log:q}"


# Sends a finished run to MLflow: what its training has not sent while it ran, scores, and sample
# responses. The report links to the run.
rule track:
    input:
        records_of_training,
        scores=rules.score.output.scores,
        generations=rules.generate.output.generations,
        settings=f"{RUN}/settings.json",
    output:
        f"{RUN}/mlflow.json",
    log:
        f"work/log/{RUN}/track.log",
    benchmark:
        f"work/benchmark/{RUN}/track.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        settings=generation_settings,
        run=folder_of_output,
        note=note,
        cutoffs=CUTOFFS,
    shell:
        "python -m repro track --settings {params.settings:q} --run {params.run:q} {params.cutoffs}"
        " --note={params.note:q} 2> {log:q}"


# Sends tables and figures to MLflow, where they are a separate run.
rule track_summary:
    input:
        readable(rules.write_tables.output),
        readable(rules.claims.output),
        rules.overview.output.overview,
        rules.overview.input.figures,
    output:
        f"{RESULTS}/mlflow.json",
    log:
        f"work/log/{RESULTS}/track_summary.log",
    benchmark:
        f"work/benchmark/{RESULTS}/track_summary.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    params:
        note=note,
    shell:
        "python -m repro track-summary --files {input:q} --output {output:q}"
        " --note={params.note:q} 2> {log:q}"
