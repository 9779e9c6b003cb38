"""`python -m sim` is `door-sim`."""

import sys

from sim.main import main

sys.exit(main())
