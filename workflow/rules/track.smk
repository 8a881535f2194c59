# Everything that goes to MLflow.
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
