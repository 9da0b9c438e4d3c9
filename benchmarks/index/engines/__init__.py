"""What is searched: one index, or one library's several, a file."""
