"""Sets the environment of a test run before Django reads its settings: nothing of a test may touch the tree's var/.

Loaded by `-p tests.environment`, since pytest-django sets Django up before the first conftest.
"""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(tempfile.mkdtemp(prefix="andon-test-"))

os.environ["ANDON_VAR"] = str(FOLDER)
os.environ["REDIS_URL"] = f"unix://{FOLDER / 'redis.sock'}"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the browser tests hold a loop in the main thread
for name in (
    "DATABASE_URL", "EMAIL_URL", "SMS_URL", "SMS_INBOUND_SECRET", "VAPID_PRIVATE_KEY", "PUSH_HOSTS", "HEARTBEAT_URL",
    "ANDON_PRODUCTION",
):  # fmt: skip
    os.environ.pop(name, None)
# Another database for the tests of a process; whole Andons (browser, chaos) keep theirs.
if address := os.environ.get("ANDON_TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = address

from plant.supervisor import kept_code  # noqa: E402  # importing plant reads the settings

os.environ.setdefault("NUMBA_CACHE_DIR", str(kept_code.folder_of(ROOT / "var" / "numba", ROOT)))
