# Finds a Python that is new enough and hands over to install.py.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
for python in python3 python3.13 python3.12 python3.11 python3.14; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        # -P: the folder of install.py is not a place to import from.
        exec "$python" -P "$here/install.py" "$@"
    fi
done
if found=$(python3 --version 2>/dev/null); then
    echo "andon: Python 3.11 or later is needed; this machine has $found." >&2
else
    echo "andon: Python 3.11 or later is needed, and this machine has none." >&2
fi
echo "andon: on Debian 12, Ubuntu 24.04 or later: apt install python3 python3-venv" >&2
exit 1
