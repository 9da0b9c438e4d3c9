"""How long the machines of Hypothesis look for a story that breaks something."""

from hypothesis import HealthCheck, settings


def effort(*, examples: int, steps: int = 25) -> settings:
    """The same `examples` in every run; under the profile `soak`, as many as it says, and others each time."""
    soaking = settings.get_current_profile_name() == "soak"
    return settings(
        settings.get_profile("soak"),
        max_examples=settings.get_profile("soak").max_examples if soaking else examples,
        derandomize=not soaking,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
