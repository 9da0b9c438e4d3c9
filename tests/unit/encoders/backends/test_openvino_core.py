"""OpenVINO changes where a thread takes its signals; a worker must outlive that."""

import subprocess
import sys

DROP_THE_LAST_NETWORK_IN_ANOTHER_THREAD = """
import os, signal, threading
import numpy
from shared.encoders.backends.openvino_package import import_openvino, openvino_core

openvino = import_openvino()
from openvino import opset13 as operations

image = operations.parameter([1, 4], numpy.float32)
networks = [openvino_core().compile_model(openvino.Model([operations.relu(image)], [image]), "CPU")]
dropping = threading.Thread(target=networks.clear)
dropping.start()
dropping.join()
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_signal_is_handled_after_another_thread_dropped_the_last_network() -> None:
    # In a process of its own: a failure is a segmentation fault.
    script = [sys.executable, "-c", DROP_THE_LAST_NETWORK_IN_ANOTHER_THREAD]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr
