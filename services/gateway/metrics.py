"""The gateway's metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class GatewayMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "afterimage_gateway_requests",
            "HTTP requests by route and outcome, the status in words: ok, accepted, not_found, service_unavailable",
            ["route", "outcome"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "afterimage_gateway_request_seconds",
            "Seconds from a request's head to the end of its answer, what the caller chose to wait for included",
            ["route"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
            registry=registry,
        )
        self.listeners = Gauge("afterimage_gateway_listeners", "Listeners of the live stream", registry=registry)
        self.in_flight = Gauge("afterimage_gateway_in_flight", "API requests under way", registry=registry)
