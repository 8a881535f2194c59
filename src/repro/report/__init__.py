"""Statistics, tables and figures: reads the files of finished runs, never MLflow."""
