"""Codes: what they cost to fit and to make, against faiss on the same vectors and threads, and what they lose."""
