"""A dashboard from a config: questions as rows, panels, their PromQL, and Grafana's JSON."""
