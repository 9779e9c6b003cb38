"""`python -m firmware` is `doorward`."""

import sys

from firmware.main import main

sys.exit(main())
