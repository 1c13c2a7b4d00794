"""python -m hybrid_seg_train."""

import sys

from hybrid_seg_train.cli import main

sys.exit(main())
