"""The embedded stack: a broker, a Redis and the workers as child processes of one command."""

from services.cli.stack.broker import BrokerMissingError
from services.cli.stack.config import WORKERS, StackConfig, WorkerSpec
from services.cli.stack.console import Console
from services.cli.stack.process import ChildDiedError, LineSink
from services.cli.stack.redis import RedisMissingError
from services.cli.stack.stack import EmbeddedStack, TopicCreator, embedded_stack

__all__ = [
    "WORKERS",
    "BrokerMissingError",
    "ChildDiedError",
    "Console",
    "EmbeddedStack",
    "LineSink",
    "RedisMissingError",
    "StackConfig",
    "TopicCreator",
    "WorkerSpec",
    "embedded_stack",
]
