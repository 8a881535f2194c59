# What people came for. Every table and figure is one command that reads only the files named here.
rule main_table:
    input:
        scores_of(settings.main_runs(config)),
    output:
        expand(
            f"{RESULTS}/tables/{{name}}",
            name=["main.csv", "main.md", "main.tex", "effect.csv", "effect.md"],
        ),
    log:
        f"work/log/{RESULTS}/tables/main.log",
    conda:
        "../../environment.yml"
    params:
        directory=folder_of_output,
        runs=run_dirs(settings.main_runs(config)),
        note=config["note"],
    shell:
        "python -m repro tables --runs {params.runs:q} --note {params.note:q}"
        " --output {params.directory:q} 2> {log:q}"


rule curve:
    input:
        curves_of(settings.main_runs(config)),
    output:
        png=f"{RESULTS}/figures/{{name}}_over_training.png",
        pdf=f"{RESULTS}/figures/{{name}}_over_training.pdf",
    log:
        f"work/log/{RESULTS}/figures/{{name}}_over_training.log",
    conda:
        "../../environment.yml"
    params:
        runs=run_dirs(settings.main_runs(config)),
        note=config["note"],
    shell:
        "python -m repro figure {wildcards.name}_over_training --runs {params.runs:q}"
        " --note {params.note:q} --output {output.png:q} 2> {log:q}"


rule ablation:
    input:
        lambda w: scores_of(settings.ablation_runs(config, w.key)),
    output:
        png=f"{RESULTS}/figures/ablation_{{key}}.png",
        pdf=f"{RESULTS}/figures/ablation_{{key}}.pdf",
    log:
        f"work/log/{RESULTS}/figures/ablation_{{key}}.log",
    conda:
        "../../environment.yml"
    params:
        runs=lambda w: run_dirs(settings.ablation_runs(config, w.key)),
        note=config["note"],
    shell:
        "python -m repro figure ablation_{wildcards.key} --runs {params.runs:q}"
        " --note {params.note:q} --output {output.png:q} 2> {log:q}"


rule track:
    input:
        scores=scores_of(settings.all_runs(config)),
        curves=curves_of(settings.all_runs(config)),
        store=ancient(f"{RESULTS}/.store_ready"),
    output:
        touch(f"{RESULTS}/.tracked"),
    log:
        f"work/log/{RESULTS}/track.log",
    conda:
        "../../environment.yml"
    params:
        runs=run_dirs(settings.all_runs(config)),
        uri=config["tracking_uri"],
    shell:
        "python -m repro track --runs {params.runs:q} --tracking-uri {params.uri:q} 2> {log:q}"
