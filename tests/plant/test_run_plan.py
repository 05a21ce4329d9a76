"""What ./run writes for supervisord and Redis, and what it installs, as text."""

from __future__ import annotations

import configparser
import importlib.util
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from plant.supervisor import install
from plant.supervisor.config import Plan, redis_conf, supervisord_conf

PLAN = Plan(
    Path("/srv/andon"), Path("/srv/andon/var"), 8000, Path("/usr/bin/redis-server"), python=Path("/venv/python")
)


def sections(plan: Plan) -> configparser.RawConfigParser:
    parsed = configparser.RawConfigParser()
    parsed.read_string(supervisord_conf(plan))
    return parsed


def test_every_process_comes_back_and_never_gives_up() -> None:
    conf = sections(PLAN)
    programs = [name for name in conf.sections() if name.startswith("program:")]
    names = ["redis", "web", "worker-telemetry", "worker-work", "beat", "demo"]
    assert programs == [f"program:{name}" for name in names]
    for name in programs:
        assert conf[name]["autorestart"] == "true"
        assert int(conf[name]["startretries"]) > 10**6
        assert conf[name]["killasgroup"] == "true"


def test_every_process_is_bound_to_supervisord() -> None:
    conf = sections(PLAN)
    for name in (name for name in conf.sections() if name.startswith("program:")):
        assert shlex.split(conf[name]["command"])[3] == "/srv/andon/plant/supervisor/child.py"


def test_logs_have_a_size() -> None:
    conf = sections(PLAN)
    for name in (name for name in conf.sections() if name.startswith("program:")):
        assert (conf[name]["stdout_logfile_maxbytes"], conf[name]["stdout_logfile_backups"]) == ("10MB", "3")
        assert conf[name]["redirect_stderr"] == "true"
    assert conf["supervisord"]["logfile_maxbytes"] == "10MB"


def test_only_redis_starts_before_the_database_is_prepared_and_it_stops_last() -> None:
    conf = sections(PLAN)
    early = [name for name in conf.sections() if conf[name].get("autostart") == "true"]
    assert early == ["program:redis"]
    assert int(conf["program:redis"]["priority"]) < int(conf["group:andon"]["priority"])
    assert conf["group:andon"]["programs"] == "web,worker-telemetry,worker-work,beat,demo"


def test_a_redis_of_somebody_else_is_not_started() -> None:
    assert "program:redis" not in sections(replace(PLAN, redis=None))


def test_no_demo_means_no_feeder() -> None:
    assert "program:demo" not in sections(replace(PLAN, demo=False))


def test_a_folder_with_spaces_and_percent_signs_survives() -> None:
    odd = Path('/srv/our "plant" 100%')
    plan = replace(PLAN, root=odd, var=odd / "var", python=odd / "python")
    web = sections(plan)["program:web"]["command"]
    assert shlex.split(web.replace("%%", "%"))[:4] == [
        str(odd / "python"), "-P", "-S", str(odd / "plant/supervisor/child.py"),
    ]  # fmt: skip
    assert 'dir "/srv/our \\"plant\\" 100%/var/redis"' in redis_conf(plan)


def test_the_port_is_the_one_asked_for() -> None:
    assert " -p 8123 " in sections(replace(PLAN, port=8123))["program:web"]["command"]


def test_what_redis_answered_for_is_on_the_disk() -> None:
    lines = redis_conf(PLAN).splitlines()
    for line in ('appendonly "yes"', 'appendfsync "always"', 'maxmemory-policy "noeviction"', 'save ""', 'port "0"'):
        assert line in lines


def test_a_path_too_long_for_a_socket_is_found() -> None:
    assert PLAN.sockets_too_long() == []
    deep = replace(PLAN, var=Path("/" + "d" * 85))
    assert [path.name for path in deep.sockets_too_long()] == ["supervisor.sock"]


# --- Installing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["0", "65536", "-1", "http", ""])
def test_a_port_that_is_none_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        install.parser().parse_args([f"--port={wrong}"])
    assert "expected a number from 1 to 65535" in capsys.readouterr().err


def test_packages_are_installed_anew_only_when_the_list_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "pip", lambda *arguments: calls.append(arguments))
    monkeypatch.setattr(install, "compile_packages", lambda: None)
    (tmp_path / "requirements.txt").write_text("one==1\n    # via two\ntwo==2\n")
    install.ensure_packages("requirements.txt")
    install.ensure_packages("requirements.txt")
    assert len(calls) == 1
    (tmp_path / "requirements.txt").write_text("one==1\ntwo==3\n")
    install.ensure_packages("requirements.txt")
    assert len(calls) == 2


def test_a_failed_installation_leaves_no_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: str) -> None:
        raise install.Missing("no index")

    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "pip", fail)
    (tmp_path / "requirements.txt").write_text("one==1\n")
    with pytest.raises(install.Missing):
        install.ensure_packages("requirements.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["requirements.txt"]


def test_a_python_without_venv_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(install.Missing, match="apt install python3-venv"):
        install.ensure_venv()


def test_a_machine_without_redis_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_index(*_: str) -> None:
        raise install.Missing("pip failed")

    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(install, "VENV", tmp_path)
    monkeypatch.setattr(install, "pip", no_index)
    with pytest.raises(install.Missing, match="apt install redis-server"):
        install.ensure_redis()


def test_a_redis_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(install, "VENV", tmp_path / "venv")
    for name, version in (("redis-server", "5.0.14"), ("valkey-server", "8.1.3")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho 'Server v={version} sha=00000000:0'\n")
        program.chmod(0o755)
    found = install.redis_server()
    assert found is not None
    assert found.name == "valkey-server"


def test_the_lock_files_name_no_registry() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "package-lock.json", "package.json", ".npmrc"):
        text = (install.ROOT / name).read_text()
        assert "resolved" not in text.replace("omit-lockfile-registry-resolved", "")
        for word in ("--index-url", "--extra-index-url", "--find-links", "registry.npmjs", "pypi.org"):
            assert word not in text, f"{name} names {word}"
