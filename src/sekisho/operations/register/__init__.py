"""The register in use: capturing, committing to the log, querying, balancing, reconciling."""
