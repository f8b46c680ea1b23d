"""The command line: arguments, what is printed, and exit codes."""
