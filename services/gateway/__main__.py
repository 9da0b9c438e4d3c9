"""Run the gateway: ``python -m services.gateway``."""

from services.gateway.app import build
from services.gateway.settings import GatewaySettings
from shared.runtime.logging import configure_logging
from shared.runtime.server import serve
from shared.runtime.settings import load_or_exit


def main() -> None:
    settings = load_or_exit(GatewaySettings)
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    serve(lambda stop: build(settings, stop), host=settings.http_host, port=settings.http_port)


if __name__ == "__main__":
    main()
