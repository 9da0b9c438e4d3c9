"""From a folder of pictures to the weights of an encoder.

`training.py` is all of it in one call. `pictures.py` reads and parts them, a learner (`heads.py`, `games/`) is what is
trained, and `course.py` runs it epoch by epoch with checkpoints; `record.py` and `card.py` write its log, its curves
and its card.
"""
