"""The settings classes that stand behind a container's variables."""

import importlib

from pydantic_settings import BaseSettings

from services.cli.settings import CliSettings
from shared.runtime.settings import variable_name


def settings_of(worker: str) -> type[BaseSettings]:
    """Of one of the four workers, or of the Job that makes the topics."""
    if worker == "topics":
        return CliSettings
    found: type[BaseSettings] = getattr(
        importlib.import_module(f"services.{worker}.settings"), f"{worker.capitalize()}Settings"
    )
    return found


def variables_of(worker: str) -> set[str]:
    return {variable_name(settings_of(worker), field) for field in settings_of(worker).model_fields}
