"""A Prometheus that holds what many instances of the reference application show, and the past that the rules read."""
