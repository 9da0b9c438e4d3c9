"""Run the searcher: ``python -m services.searcher``."""

import os

# Read once by OpenMP when torch is imported: threads that spin while they wait starve the others on busy cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Before the index's library: that brings a libstdc++ of its own, beside which C++ prints no numbers in torch's, and
# OpenVINO, which has torch print a traced model, cannot be used.
import torch  # noqa: F401

from services.searcher.app import build
from services.searcher.settings import SearcherSettings
from shared.runtime.worker import run_worker


def main() -> None:
    run_worker(SearcherSettings, build)


if __name__ == "__main__":
    main()
