"""Run the indexer: ``python -m services.indexer``."""

from services.indexer.app import build
from services.indexer.settings import IndexerSettings
from shared.runtime.worker import run_worker


def main() -> None:
    run_worker(IndexerSettings, build)


if __name__ == "__main__":
    main()
