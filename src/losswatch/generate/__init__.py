"""What is made from a config for Prometheus. Takes plain settings and knows nothing of the YAML."""
