"""What one would embed instead: vector databases from PyPI, one a file, and ours among them."""
