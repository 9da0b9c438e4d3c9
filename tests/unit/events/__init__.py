"""The contracts of the bus. The bytes are pinned by the files in `golden/`; see `regenerate.py`."""
