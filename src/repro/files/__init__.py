"""Files on the disk: JSON Lines, YAML, model folders, digests, locks; and progress lines."""
