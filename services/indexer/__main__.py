"""Run the indexer: ``python -m services.indexer``."""

from services.indexer.app import build
from services.indexer.settings import IndexerSettings
from shared.runtime.logging import configure_logging
from shared.runtime.server import serve
from shared.runtime.settings import load_or_exit


def main() -> None:
    settings = load_or_exit(IndexerSettings)
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    serve(lambda stop: build(settings, stop), host=settings.http_host, port=settings.http_port)


if __name__ == "__main__":
    main()
