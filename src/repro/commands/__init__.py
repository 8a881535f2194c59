"""The command line: `python -m repro COMMAND`."""
