"""MLflow gets what it lacks of a run; nothing is ever read back from it."""
