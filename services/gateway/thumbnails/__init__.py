"""Small pictures of hits, for whoever may see these."""
