"""`python -m plant.supervisor`: what ./run becomes once everything is installed."""

import sys

from plant.supervisor.run import main

sys.exit(main(sys.argv[1:]))
