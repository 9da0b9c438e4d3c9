"""Run the searcher: ``python -m services.searcher``."""

import os

# Read once by OpenMP when torch is imported: threads that spin while they wait starve the others on busy cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from services.searcher.app import build
from services.searcher.settings import SearcherSettings
from shared.runtime.worker import run_worker


def main() -> None:
    run_worker(SearcherSettings, build)


if __name__ == "__main__":
    main()
