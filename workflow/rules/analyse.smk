# What people came for. Every table and figure is one command that reads only the files named here.
rule write_tables:
    input:
        scores_of(settings.main_runs(config)),
        settings_of(settings.main_runs(config)),
        PUBLISHED,
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
            ],
            kind=["csv", "md", "tex"],
        ),
    log:
        f"work/log/{RESULTS}/tables/main.log",
    conda:
        "../../environment.yml"
    params:
        directory=folder_of_output,
        runs=run_dirs(settings.main_runs(config)),
        benchmarks=BENCHMARKS,
        note=lambda w: config["note"],
        published=published,
    shell:
        "python -m repro tables --runs {params.runs:q} --note={params.note:q}"
        " --benchmarks {params.benchmarks} {params.published}"
        " --output {params.directory:q} 2> {log:q}"


# What there is so far, the gaps marked. It declares no files: asked for by name it always runs.
rule tables_partial:
    log:
        f"work/log/{RESULTS}/tables_partial.log",
    conda:
        "../../environment.yml"
    params:
        runs=run_dirs(settings.main_runs(config)),
        benchmarks=BENCHMARKS,
        note=lambda w: config["note"],
        published=published,
        directory=f"{RESULTS}/tables_partial",
    shell:
        "python -m repro tables --partial --runs {params.runs:q} --note={params.note:q}"
        " --benchmarks {params.benchmarks} {params.published}"
        " --output {params.directory:q} 2> {log:q}"


# The response to each problem, judged by the model that gave it: -J over the position, and claims.
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
    resources:
        **reserved("objective"),
        gpu=layout.model_gpus(config),
    params:
        settings=lambda w: settings.dump(
            settings.objective_settings(config, w.backbone)
        ),
        benchmarks=OBJECTIVE,
        problems=config["objective"]["problems"],
    shell:
        "python -m repro objective --settings {params.settings:q} --model {input.model:q}"
        " --benchmark {params.benchmarks} --generations {input.generations:q}"
        " --scores {input.scores:q} --data {input.data:q} --problems {params.problems}"
        " --output {output:q} 2> {log:q}"


rule claims:
    input:
        scores_of(settings.all_runs(config)),
        settings_of(settings.all_runs(config)),
        curves_of(settings.all_runs(config)),
        objectives_of(settings.objective_runs(config)),
        claims=local(CLAIMS),
    output:
        expand(f"{RESULTS}/tables/claims.{{kind}}", kind=["md", "csv", "json"]),
    log:
        f"work/log/{RESULTS}/tables/claims.log",
    conda:
        "../../environment.yml"
    params:
        directory=folder_of_output,
        runs=run_dirs(settings.all_runs(config)),
        benchmarks=BENCHMARKS,
        note=lambda w: config["note"],
    shell:
        "python -m repro claims --claims {input.claims:q} --runs {params.runs:q}"
        " --benchmarks {params.benchmarks} --note={params.note:q}"
        " --output {params.directory:q} > {log:q} 2>&1"


rule curve:
    input:
        curves_of(settings.main_runs(config)),
    output:
        png=report(
            f"{RESULTS}/figures/{{name}}_over_training.png",
            caption="../report/curve.rst",
            category="3 Figures",
            labels={"figure": "{name}", "over": "training"},
        ),
        pdf=f"{RESULTS}/figures/{{name}}_over_training.pdf",
    log:
        f"work/log/{RESULTS}/figures/{{name}}_over_training.log",
    conda:
        "../../environment.yml"
    params:
        runs=run_dirs(settings.main_runs(config)),
        benchmarks=BENCHMARKS,
        note=lambda w: config["note"],
    shell:
        "python -m repro figure {wildcards.name}_over_training --runs {params.runs:q}"
        " --benchmarks {params.benchmarks} --note={params.note:q} --output {output.png:q} 2> {log:q}"


rule objective_figure:
    input:
        objectives_of(settings.objective_runs(config)),
    output:
        png=report(
            f"{RESULTS}/figures/objective_over_position.png",
            caption="../report/objective.rst",
            category="3 Figures",
            labels={"figure": "-J", "over": "position in the thought"},
        ),
        pdf=f"{RESULTS}/figures/objective_over_position.pdf",
    log:
        f"work/log/{RESULTS}/figures/objective_over_position.log",
    conda:
        "../../environment.yml"
    params:
        runs=run_dirs(settings.objective_runs(config)),
        benchmarks=BENCHMARKS,
        note=lambda w: config["note"],
    shell:
        "python -m repro figure objective_over_position --runs {params.runs:q}"
        " --benchmarks {params.benchmarks} --note={params.note:q} --output {output.png:q} 2> {log:q}"


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
            category="3 Figures",
            labels={"figure": "case study", "over": "one thought"},
        ),
        pdf=f"{RESULTS}/figures/case_study.pdf",
        html=report(
            f"{RESULTS}/figures/case_study.html",
            caption="../report/case_study.rst",
            category="3 Figures",
            labels={"figure": "case study, its text", "over": "one thought"},
        ),
    log:
        f"work/log/{RESULTS}/figures/case_study.log",
    conda:
        "../../environment.yml"
    resources:
        **reserved("objective"),
        gpu=layout.model_gpus(config),
    params:
        settings=lambda w: settings.dump(
            settings.objective_settings(config, Path(CASE_RUN).parts[-3])
        ),
        run=lambda w, input: str(Path(input[0]).parent),
        benchmark=OBJECTIVE[:1],
        note=lambda w: config["note"],
    shell:
        "python -m repro case_study --settings {params.settings:q} --run {params.run:q}"
        " --benchmark {params.benchmark:q} --data {input.data:q} --note={params.note:q}"
        " --output {output.png:q} > {log:q} 2>&1"


rule evaluation_figure:
    input:
        scores_of(settings.main_runs(config)),
    output:
        png=report(
            f"{RESULTS}/figures/{{figure}}.png",
            caption="../report/evaluation_figure.rst",
            category="3 Figures",
            labels=evaluation_figure_labels,
        ),
        pdf=f"{RESULTS}/figures/{{figure}}.pdf",
    log:
        f"work/log/{RESULTS}/figures/{{figure}}.log",
    conda:
        "../../environment.yml"
    params:
        runs=run_dirs(settings.main_runs(config)),
        benchmarks=BENCHMARKS,
        note=lambda w: config["note"],
    shell:
        "python -m repro figure {wildcards.figure} --runs {params.runs:q}"
        " --benchmarks {params.benchmarks} --note={params.note:q} --output {output.png:q} 2> {log:q}"


rule ablation:
    input:
        lambda w: scores_of(settings.ablation_runs(config, w.key)),
        lambda w: settings_of(settings.ablation_runs(config, w.key)),
    output:
        png=report(
            f"{RESULTS}/figures/ablation_{{key}}.png",
            caption="../report/ablation.rst",
            category="3 Figures",
            labels={"figure": "ablation", "over": "{key}"},
        ),
        pdf=f"{RESULTS}/figures/ablation_{{key}}.pdf",
    log:
        f"work/log/{RESULTS}/figures/ablation_{{key}}.log",
    conda:
        "../../environment.yml"
    params:
        runs=lambda w: run_dirs(settings.ablation_runs(config, w.key)),
        benchmarks=BENCHMARKS,
        note=lambda w: config["note"],
    shell:
        "python -m repro figure ablation_{wildcards.key} --runs {params.runs:q}"
        " --benchmarks {params.benchmarks} --note={params.note:q} --output {output.png:q} 2> {log:q}"


# The report's first page and its tables, as HTML. Snakemake puts them into one file: `make report`.
rule overview:
    input:
        rules.write_tables.output,
        rules.claims.output,
        scores_of(settings.all_runs(config)),
        settings_of(settings.all_runs(config)),
        curves_of(settings.all_runs(config)),
        provenance_of(settings.all_runs(config)),
        objectives_of(settings.objective_runs(config)),
        tracked_of(settings.all_runs(config)),
        figures=[
            f"{RESULTS}/figures/{name}.png"
            for name in FIGURES + [f"ablation_{key}" for key in ABLATIONS]
        ],
    output:
        overview=report(
            f"{RESULTS}/report/overview.html",
            caption="../report/overview.rst",
            category="1 The answer",
            labels={"page": "overview"},
        ),
        claims=report(
            f"{RESULTS}/report/claims.html",
            caption="../report/claims.rst",
            category="1 The answer",
            labels={"page": "claims, part by part"},
        ),
        main=report(
            f"{RESULTS}/report/main.html",
            caption="../report/main.rst",
            category="2 Tables",
            labels={"table": "main"},
        ),
        main_math_verify=report(
            f"{RESULTS}/report/main_math_verify.html",
            caption="../report/main.rst",
            category="2 Tables",
            labels={"table": "main, by math-verify"},
        ),
        gain=report(
            f"{RESULTS}/report/gain.html",
            caption="../report/gain.rst",
            category="2 Tables",
            labels={"table": "gain of RePro"},
        ),
        tokens=report(
            f"{RESULTS}/report/tokens.html",
            caption="../report/tokens.rst",
            category="2 Tables",
            labels={"table": "reasoning tokens"},
        ),
        backtracking=report(
            f"{RESULTS}/report/backtracking.html",
            caption="../report/backtracking.rst",
            category="2 Tables",
            labels={"table": "backtracking"},
        ),
        # What the report opens with, by workflow/report/workflow.rst.
        opening=f"{RESULTS}/report/opening.html",
    log:
        f"work/log/{RESULTS}/report/overview.log",
    conda:
        "../../environment.yml"
    params:
        directory=folder_of_output,
        tables=lambda w, input: str(Path(input[0]).parent),
        runs=run_dirs(settings.all_runs(config)),
        benchmarks=BENCHMARKS,
        note=lambda w: config["note"],
        name=config["name"],
    shell:
        "python -m repro overview --runs {params.runs:q} --note={params.note:q}"
        " --benchmarks {params.benchmarks} --tables {params.tables:q} --name {params.name:q}"
        " --figures {input.figures:q} --output {params.directory:q} 2> {log:q}"


# A training is logged while it goes on; the rest of the run follows here. The report links to it.
rule track:
    input:
        records_of_training,
        scores=rules.score.output.scores,
        generations=rules.generate.output.generations,
        settings=f"{RUN}/settings.json",
        data=data_files(BENCHMARKS),
        store=ancient(f"{RESULTS}/.store_ready"),
    output:
        f"{RUN}/mlflow.json",
    log:
        f"work/log/{RUN}/track.log",
    conda:
        "../../environment.yml"
    params:
        settings=generation_settings,
        run=folder_of_output,
        data=lambda w, input: str(Path(input.data[0]).parent),
        note=lambda w: config["note"],
    shell:
        "python -m repro track --settings {params.settings:q} --run {params.run:q}"
        " --data {params.data:q} --note={params.note:q} 2> {log:q}"


# Tables and figures in MLflow, in a run of their own.
rule track_summary:
    input:
        readable(rules.write_tables.output),
        readable(rules.claims.output),
        rules.overview.output.overview,
        rules.overview.input.figures,
        store=ancient(f"{RESULTS}/.store_ready"),
    output:
        f"{RESULTS}/mlflow.json",
    log:
        f"work/log/{RESULTS}/track_summary.log",
    conda:
        "../../environment.yml"
    params:
        files=lambda w, input: [file for file in input if file != input.store],
        note=lambda w: config["note"],
    shell:
        "python -m repro track_summary --files {params.files:q} --output {output:q}"
        " --note={params.note:q} 2> {log:q}"
