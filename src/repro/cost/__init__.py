"""`python -m repro cost`: GPU-hours, memory and disk of an experiment before anything runs.

Nothing is loaded or downloaded: formulas (`model`, `memory`) over stated numbers (`assumptions`)
say what each training and each generation of a configuration takes (`estimate`).
"""
