"""Run the extractor: ``python -m services.extractor``."""

import os

# Read once by OpenMP when torch is imported: threads that spin while they wait starve the others on busy cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from services.extractor.app import build
from services.extractor.settings import ExtractorSettings
from shared.runtime.worker import run_worker


def main() -> None:
    run_worker(ExtractorSettings, build)


if __name__ == "__main__":
    main()
