"""One process that wants an engine: `python engine_process.py BUNDLE CACHE SECONDS`, with the fake TensorRT.

Prints a JSON line: how often it built, why, and the plan's hash; says "waiting" and "building" on the way.
"""

import json
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.fake_tensorrt import Faults, install

from hybrid_seg_ros.backends.tensorrt import engine_options, prepare_engine
from hybrid_seg_ros.bundle import load_bundle


def main() -> None:
    bundle, cache, seconds = load_bundle(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    with pytest.MonkeyPatch.context() as patch:
        faults = install(patch, faults=Faults(slow_s=seconds))
        print("ready", flush=True)
        sys.stdin.readline()
        engine = prepare_engine(
            bundle,
            engine_options(bundle),
            cache_dir=cache,
            on_wait=lambda holder, waited: print(f"waiting for {holder}", flush=True),
        )
    told = {"builds": faults.builds, "reasons": engine.reasons, "plan": engine.identity.plan_sha256, "at": time.time()}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
