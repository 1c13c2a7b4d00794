"""Which samples of an endless stream a process takes."""

from collections.abc import Iterator

from torch.utils.data import Sampler


class StreamSampler(Sampler[int]):
    """One process's part of the stream from sample `start` to `stop` - 1.

    Every iteration takes the next `batch` samples; of these, process `rank` of `processes` takes its equal share, so
    that the samples of an iteration do not depend on how many processes share it. Its length is that of the whole
    stream up to `stop`, because Lightning counts the batches before a checkpoint as fetched.
    """

    def __init__(self, start: int, stop: int, *, batch: int, rank: int = 0, processes: int = 1) -> None:
        if batch % processes:
            raise ValueError(f"a batch of {batch} cannot be shared equally by {processes} processes")
        self._starts = range(start, stop, batch)
        self._iterations = len(range(0, stop, batch))
        self._share = range(rank * (batch // processes), (rank + 1) * (batch // processes))

    def __iter__(self) -> Iterator[int]:
        return (first + offset for first in self._starts for offset in self._share)

    def __len__(self) -> int:
        return self._iterations * len(self._share)
