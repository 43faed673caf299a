"""`python -m minimax_tasks` is the command `minimax-tasks`."""

import sys

from minimax_tasks.cli import main

sys.exit(main())
