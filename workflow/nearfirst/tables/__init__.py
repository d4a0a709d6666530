"""Tables beside the figures."""
