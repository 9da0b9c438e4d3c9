"""From a folder of pictures to the weights of an encoder.

`pictures.py` reads and parts them, a learner (`heads.py`, `games.py`) is what is trained, `course.py` runs it epoch by
epoch with checkpoints, and `outcome.py` writes what comes of it: the encoder, its log, its curves and its card.
"""
