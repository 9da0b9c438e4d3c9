"""What happens in the service now: what becomes searchable, how fast searches are answered, how far the workers are."""
