"""Wiring: config to sources, monitors and pages. Nothing is computed here."""
