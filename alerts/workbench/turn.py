"""One backtest at a time and process: it is heavy, and the process has operators to serve."""

import threading

turn = threading.Lock()
