"""Evaluation in two steps: ``generate`` writes a file of responses, ``score`` judges that file."""
