"""A run that is killed leaves no server behind."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE_MS = 60_000

STARTER = """
import sys, pathlib
from brokers import Mosquitto
broker = Mosquitto(pathlib.Path(sys.argv[1]))
broker.start()
print(broker.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.needs("mosquitto")
def test_a_broker_ends_with_the_run_that_started_it_even_if_that_is_killed(tmp_path: Path) -> None:
    here = Path(__file__).parent
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": f"{here}:{here.parents[1]}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with starter:
        assert starter.stdout is not None
        broker = os.pidfd_open(int(starter.stdout.readline()))
        try:
            starter.kill()
            ended = select.poll()
            ended.register(broker, select.POLLIN)
            assert ended.poll(PATIENCE_MS)
        finally:
            os.close(broker)
