"""Hypothesis without a clock: on a busy machine a slow example is no finding."""

from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("unhurried"), max_examples=4000)
if settings.get_current_profile_name() == "default":
    settings.load_profile("unhurried")
