"""What can go wrong, by where it does."""
