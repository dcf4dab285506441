"""The process manager on this machine: what `make up`, `make stop`, `make status` and their kin run."""
