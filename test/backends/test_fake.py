import contextlib
import threading
import time

import numpy as np
import pytest

from hybrid_seg_ros.backends import Backend, BackendError, BackendOptions, FakeOptions, create
from hybrid_seg_ros.bundle import Bundle


def fake(bundle: Bundle, **options: float | int) -> Backend:
    return create("fake", bundle, options=BackendOptions(fake=FakeOptions(**options)))  # type: ignore[arg-type]


def image(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(1, 3, 96, 128)).astype(np.float32)


def test_is_a_function_of_the_image(tiny_bundle: Bundle) -> None:
    first, again, other = (fake(tiny_bundle).infer(image(seed)) for seed in (0, 0, 1))
    assert first.logits.shape == (11, 24, 32)
    assert first.posterior.shape == (2, 24, 32)
    assert first.logits.dtype == first.posterior.dtype == np.float32
    np.testing.assert_array_equal(first.logits, again.logits)
    assert np.abs(first.logits - other.logits).max() > 0.1
    assert len(np.unique(first.logits.argmax(axis=0))) > 3


def test_needs_no_model_file(bundle_copy: Bundle) -> None:
    (bundle_copy.path / "model.onnx").unlink()
    assert fake(bundle_copy).infer(image()).logits.shape == (11, 24, 32)


def test_fails_at_the_call_it_is_told_and_recovers(tiny_bundle: Bundle) -> None:
    backend = fake(tiny_bundle, fail_at=2)
    backend.infer(image())
    with pytest.raises(BackendError, match="told to fail at call 2"):
        backend.infer(image())
    backend.infer(image())


def test_returns_nan_at_the_call_it_is_told(tiny_bundle: Bundle) -> None:
    backend = fake(tiny_bundle, nan_at=2)
    assert [bool(np.isnan(backend.infer(image()).logits).any()) for _ in range(3)] == [False, True, False]


def test_is_as_slow_as_it_is_told(tiny_bundle: Bundle) -> None:
    backend = fake(tiny_bundle, delay_s=0.05)
    start = time.monotonic()
    backend.infer(image())
    assert time.monotonic() - start >= 0.05


@pytest.mark.parametrize("options", [{"hang_at": 1}, {"delay_s": 600.0}])
def test_close_ends_a_call_under_way(tiny_bundle: Bundle, options: dict[str, float]) -> None:
    backend = fake(tiny_bundle, **options)
    ended = threading.Event()

    def work() -> None:
        with contextlib.suppress(BackendError):
            backend.infer(image())
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert not ended.wait(0.1)
    backend.close()
    assert ended.wait(10)
    thread.join()
    with pytest.raises(BackendError, match="after close"):
        backend.infer(image())


def test_hangs_for_as_long_as_it_is_told_and_answers_then(tiny_bundle: Bundle) -> None:
    backend = fake(tiny_bundle, hang_at=2, hang_s=0.1)
    sound = backend.infer(image())
    start = time.monotonic()
    np.testing.assert_array_equal(backend.infer(image()).logits, sound.logits)
    assert time.monotonic() - start >= 0.1


def test_what_goes_wrong_goes_wrong_again_where_it_is_told(tiny_bundle: Bundle) -> None:
    backend = fake(tiny_bundle, nan_at=2, every=3)
    found = [bool(np.isnan(backend.infer(image()).logits).any()) for _ in range(7)]
    assert found == [False, True, False, False, True, False, False]


def test_says_that_it_is_a_fake(tiny_bundle: Bundle) -> None:
    info = fake(tiny_bundle).describe()
    assert info.name == "fake"
    assert "mean nothing" in info.reason
