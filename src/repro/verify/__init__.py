"""Verification of answers: mathematics, multiple choice and programs."""
