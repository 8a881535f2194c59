# Tables, figures, verdicts and the report, from files alone. Each is one command that reads only the files
# named in its rule.
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
                "ledger",
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
        archive=["--archive", ARCHIVE] if ARCHIVE else [],
    shell:
        "python -m repro overview --experiment {input.experiment:q} --tables {params.tables:q}"
        " {params.published} --figures {input.figures:q} {params.archive:q} --output {params.directory:q}"
        " 2> {log:q}"
