"""Signals that come early, and what systemd is told."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import closing

import pytest
from running import Running
from servers import answers, wait_for

CONFIG = "version: 1\nmonitors: [{model: eta}]\nsources: [{http: {}}]\n"


def test_a_hang_up_while_the_config_is_read_loads_it_again(tmp_path):
    """By default the signal would end the process, as for a reload just after the start."""
    service = Running(tmp_path, "")
    service.config.unlink()
    os.mkfifo(service.config)
    service.launch()
    try:
        with service.config.open("w") as pipe:  # it waits in the middle of its config
            service.process.send_signal(signal.SIGHUP)
            service.config.unlink()
            service.config.write_text(CONFIG.replace("eta", "zeta"))
            pipe.write(CONFIG)
        wait_for(lambda: service.is_ready, about=f"for {service.log}")
        wait_for(lambda: [cost["model"] for cost in service.costs()] == ["zeta"])
        assert service.stop() == 0
    finally:
        service.kill()


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_when_it_is_ready_and_when_it_stops(tmp_path, abstract):
    """Not before it answers: what is started after it finds it there."""
    name = f"losswatch-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.bind(f"\0{name}" if abstract else name)
        systemd.settimeout(20)
        service = Running(tmp_path, CONFIG)
        service.launch(env={**os.environ, "NOTIFY_SOCKET": f"@{name}" if abstract else name})
        try:
            assert systemd.recv(100) == b"READY=1"
            assert answers(f"{service.url}/-/healthy")
            assert service.stop() == 0
            assert systemd.recv(100) == b"STOPPING=1"
        finally:
            service.kill()


def test_without_systemd_it_goes_on(tmp_path):
    """A socket that is not there is said, and no more than that."""
    service = Running(tmp_path, CONFIG)
    service.start(env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "none")})
    try:
        assert "systemd is not told READY=1" in service.log.read_text()
        assert service.stop() == 0
    finally:
        service.kill()
