"""Images and clusters: what `make images`, `make deploy`, `make minikube` and their kin run."""
