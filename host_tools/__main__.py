"""`python -m host_tools` is `doorctl`."""

import sys

from host_tools.main import main

sys.exit(main())
