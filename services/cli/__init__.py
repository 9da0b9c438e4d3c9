"""The command line: what a person does with Afterimage from a shell."""
