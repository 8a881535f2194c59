"""`python -m repro cost`: GPU-hours, memory and disk of an experiment before anything runs."""
