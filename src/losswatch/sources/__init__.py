"""Where events come from. Sources take plain arguments and know nothing of the config."""
