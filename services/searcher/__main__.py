"""Run the searcher: ``python -m services.searcher``."""

import os

# Read once by OpenMP when torch is imported: threads that spin while they wait starve the others on busy cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from services.searcher.app import build
from services.searcher.settings import SearcherSettings
from shared.runtime.logging import configure_logging
from shared.runtime.server import serve
from shared.runtime.settings import load_or_exit


def main() -> None:
    settings = load_or_exit(SearcherSettings)
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    serve(lambda stop: build(settings, stop), host=settings.http_host, port=settings.http_port)


if __name__ == "__main__":
    main()
