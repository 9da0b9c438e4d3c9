"""Each scenario for some seconds: `make soak` has them go on for longer."""

import pytest

from tests.faults.chance import SEED
from tests.faults.scenarios import Scenario
from tests.faults.scenarios.disk import store_is_full
from tests.faults.scenarios.kafka import kafka_restarts
from tests.faults.scenarios.redis import redis_is_flushed, redis_is_gone, redis_is_rolled_back
from tests.faults.scenarios.subscriptions import (
    network_to_redis_fails,
    subscriber_is_too_slow,
    subscription_dies_silently,
)
from tests.faults.site import Impossible, Site

SECONDS: dict[Scenario, float] = {
    redis_is_flushed: 3,
    redis_is_rolled_back: 3,
    redis_is_gone: 7,
    subscription_dies_silently: 3,
    network_to_redis_fails: 5,
    subscriber_is_too_slow: 2,
    store_is_full: 2,
    kafka_restarts: 2,
}


@pytest.mark.slow
@pytest.mark.durable
@pytest.mark.parametrize("scenario", SECONDS, ids=lambda scenario: scenario.__name__)
async def test_nothing_is_lost_and_all_copies_are_equal_within_seconds(site: Site, scenario: Scenario) -> None:
    try:
        figures = await scenario(site, seed=SEED, seconds=SECONDS[scenario])
    except Impossible as impossible:
        pytest.skip(str(impossible))
    assert figures.faults
