"""The case study of RePro for one transcript: its objective and process rewards, shown."""
