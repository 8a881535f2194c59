"""The command line: `python -m repro COMMAND`, one file for each command."""
