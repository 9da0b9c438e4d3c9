"""Fitting a code to vectors: `fit.py` takes the steps of a recipe, each of which has a file of its own.

All of it runs on the device that the vectors are on, and gives the same for the same seed.
"""
