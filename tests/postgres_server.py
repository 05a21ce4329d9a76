"""A PostgreSQL server of a test's own; as a program, for a command: python -m tests.postgres_server ./test tests"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from plant.supervisor.processes import spawn

# PostgreSQL refuses to run as root; Debian's package brings this user.
USER = "postgres"
# Nothing of a test has to outlive the machine's power.
_QUICK = ["-c", "fsync=off", "-c", "full_page_writes=off"]


def find_programs() -> Path | None:
    """Gives the folder of the newest initdb and postgres: Debian's, which are not on the path, else those that are."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parent.parent.name))
    if versions:
        return versions[-1].parent
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None


def why_not() -> str:
    """Gives why no PostgreSQL can be started here; nothing where one can."""
    if find_programs() is None:
        return "no PostgreSQL on this machine. On Debian: apt install postgresql"
    if os.geteuid() == 0 and not _user():
        return f"PostgreSQL does not run as root, and this machine has no user {USER}"
    return ""


def _user() -> dict[str, Any]:
    """Gives as whom the server's programs run: as this process does, but never as root."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        return {}
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


needs_postgres = pytest.mark.skipif(bool(why_not()), reason=why_not())


class Postgres:
    """A PostgreSQL in a temporary folder, on a Unix socket; use as a context manager.

    Takes: `durable` for one that waits for the disk, as a real one does.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="andon-pg-", dir="/tmp"))  # a Unix socket's path has to be short
        self.options = [] if durable else _QUICK
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Postgres:
        programs = find_programs()
        assert programs is not None, why_not()
        self._programs = programs
        if _user():
            shutil.chown(self.folder, USER, USER)
        try:
            words = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
            if self._major() >= 15:
                # It sorts as people's languages do, as an installation of its own does, not by code points.
                words += ["--locale-provider=icu", "--icu-locale=en"]
            self._run("initdb", "-D", self._data, "-U", "andon", *words)
            self.start()
            self.create("andon")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def url(self, database: str = "andon") -> str:
        """Gives a database's address as DATABASE_URL takes it."""
        return f"postgres://andon@/{self.folder}/{database}"

    def start(self) -> None:
        """Starts the server, or again on its data, and waits until it takes connections."""
        self._process = spawn(
            [str(self._programs / "postgres"), "-D", self._data, "-k", str(self.folder), "-h", "", *self.options],
            dict(os.environ),
            with_signal=signal.SIGQUIT,
            cwd=self.folder,
            stdout=(self.folder / "log").open("a"),
            stderr=subprocess.STDOUT,
            **_user(),
        )
        for _ in range(600):
            if self._process.poll() is not None:
                break
            try:
                self._run("pg_isready", "-q", "-t", "1", "-h", str(self.folder))
                return
            except RuntimeError:
                time.sleep(0.02)
        raise RuntimeError(f"PostgreSQL does not answer:\n{(self.folder / 'log').read_text()[-2000:]}")

    def create(self, database: str) -> None:
        """Makes an empty database."""
        self._run("createdb", "-h", str(self.folder), "-U", "andon", database)

    def crash(self) -> None:
        """Ends the server at once, as a lost machine does; its connections break."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()

    def _major(self) -> int:
        return int(self._run("postgres", "--version").split()[2].partition(".")[0])

    def _run(self, program: str, *words: str) -> str:
        command = [str(self._programs / program), *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, **_user())
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout


def main(command: list[str]) -> int:
    """Runs a command with ANDON_TEST_DATABASE_URL naming a PostgreSQL that ends with it."""
    if reason := why_not():
        print(reason, file=sys.stderr)
        return 1
    with Postgres() as server:
        environment = {**os.environ, "ANDON_TEST_DATABASE_URL": server.url()}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
