"""One lm-eval task file per benchmark: prompt and fields only. See ``repro.evaluation.tasks``."""
