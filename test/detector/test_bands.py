import threading

import pytest

from hybrid_seg_ros.detector.bands import Bands


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("rows", [1, 15, 16, 100, 1081])
def test_every_row_once(threads: int, rows: int) -> None:
    bands = Bands(threads)
    seen: list[int] = []
    workers: set[int] = set()

    def work(worker: int, first: int, last: int) -> None:
        seen.extend(range(first, last))
        workers.add(worker)

    bands.run(work, rows)
    bands.close()
    assert sorted(seen) == list(range(rows))
    assert workers <= set(range(threads))


def test_really_works_in_parallel() -> None:
    bands = Bands(3)
    together = threading.Barrier(3, timeout=20)
    met: set[int] = set()

    def work(worker: int, first: int, last: int) -> None:
        if worker not in met:
            met.add(worker)
            together.wait()

    bands.run(work, 1000)
    bands.close()
    assert met == {0, 1, 2}


@pytest.mark.parametrize("threads", [1, 4])
def test_an_error_arrives_after_all_have_stopped(threads: int) -> None:
    bands = Bands(threads)
    under_way = threading.Semaphore(0)

    def work(worker: int, first: int, last: int) -> None:
        under_way.release()
        if first > 500:
            raise RuntimeError("broken")
        under_way.acquire()

    with pytest.raises(RuntimeError, match="broken"):
        bands.run(work, 1000)
    total: list[int] = []
    bands.run(lambda worker, first, last: total.append(last - first), 1000)
    assert sum(total) == 1000
    bands.close()
    bands.close()


def test_closed_under_the_caller_it_still_finishes_the_frame() -> None:
    bands = Bands(3)
    bands.close()
    seen: list[int] = []
    bands.run(lambda worker, first, last: seen.extend(range(first, last)), 500)
    assert seen == list(range(500))


def test_no_threads() -> None:
    with pytest.raises(ValueError, match="threads is 0"):
        Bands(0)
