"""Parameters of the fake backend."""

from dataclasses import dataclass

from hybrid_seg_ros.backends.options import FakeOptions
from hybrid_seg_ros.ros.parameter_spec import parameter


@dataclass(frozen=True)
class FakeSettings:
    """What the fake backend is told to do wrong."""

    # --- fake backend
    fake_delay_s: float = parameter(
        0.0, "Fake backend", "Only for backend 'fake': every run takes at least this long, s.", between=(0.0, 60.0)
    )
    fake_fail_at: int = parameter(
        0, "Fake backend", "Only for backend 'fake': this run (1 is the warm-up) fails; 0 is none.", between=(0, 1e9)
    )
    fake_nan_at: int = parameter(
        0,
        "Fake backend",
        "Only for backend 'fake': this run (1 is the warm-up) returns NaN; 0 is none.",
        between=(0, 1e9),
    )
    fake_hang_at: int = parameter(
        0,
        "Fake backend",
        "Only for backend 'fake': this run (1 is the warm-up) hangs; 0 is none.",
        between=(0, 1e9),
    )
    fake_hang_s: float = parameter(
        0.0,
        "Fake backend",
        "Only for backend 'fake': how long a run hangs, s; 0: it never returns.",
        between=(0.0, 3600.0),
    )
    fake_every: int = parameter(
        0,
        "Fake backend",
        "Only for backend 'fake': runs are counted anew after so many, so that what was told to happen happens again; "
        "0 counts once.",
        between=(0, 1e9),
    )

    @property
    def fake_options(self) -> FakeOptions:
        """What the fake backend takes."""
        return FakeOptions(
            delay_s=self.fake_delay_s,
            fail_at=self.fake_fail_at or None,
            nan_at=self.fake_nan_at or None,
            hang_at=self.fake_hang_at or None,
            hang_s=self.fake_hang_s,
            every=self.fake_every or None,
        )
