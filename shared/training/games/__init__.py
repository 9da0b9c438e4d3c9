"""Adversarial games, which learn the networks of the encoders `gan` and `bigan`.

`game.py` is what both have in common; `gan.py` and `bigan.py` are the two, `losses.py` what they descend, and
`spectral.py` the normalisation of their discriminators.
"""
