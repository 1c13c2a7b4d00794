"""The command line: hybrid-seg-train
closed-set | flow | hybrid | average | calibrate | evaluate | export | quantize | report.
"""

from hybrid_seg_train.cli.main import main

__all__ = ["main"]
