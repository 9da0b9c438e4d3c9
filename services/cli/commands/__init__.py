"""One module a command. Each has the typer function that reads the arguments, and what it does."""
