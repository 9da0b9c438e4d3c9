"""Run the gateway: ``python -m services.gateway``."""

from services.gateway.app import build
from services.gateway.settings import GatewaySettings
from shared.runtime.worker import run_worker


def main() -> None:
    run_worker(GatewaySettings, build, answers_callers=True)


if __name__ == "__main__":
    main()
