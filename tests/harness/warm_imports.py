"""All that our programs import, for the process that they are forked from. `tests.harness.warm` has it imported."""

import gc
import os

# What is read while something is imported: libgomp, with torch, asks how to wait, as the workers' first lines have it;
# rich asks how wide the terminal is.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["COLUMNS"] = "200"  # pytest imports readline, which has set it to 80
os.environ["NO_COLOR"] = "1"

import services.cli.__main__
import services.extractor.app
import services.gateway.app
import services.indexer.app
import services.searcher.app

__all__ = ["services"]

gc.collect()
gc.freeze()  # what is shared with the forked is not looked through again by each of them, and so stays shared
