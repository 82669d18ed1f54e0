"""Every fault, and who is told of it, on a real Prometheus and Alertmanager: `python -m fault_matrix`."""
