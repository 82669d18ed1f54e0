"""Files that people write in YAML: what is in one, in which line, and which name was meant."""
