"""Where the scores of a set come from: a bundle's network, or maps that somebody's method saved."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

from hybrid_seg_ros import __version__
from hybrid_seg_ros.assessment.collect import bundle_sha256, network_part
from hybrid_seg_ros.assessment.scores import KINDS, NetworkScores, ScoreMaps
from hybrid_seg_ros.backends import Backend, BackendOptions, create
from hybrid_seg_ros.bundle import Bundle, ScoreKind, find_bundle, load_bundle
from hybrid_seg_ros.datasets.sample import Sample
from hybrid_seg_ros.datasets.score_maps import open_score_maps
from hybrid_seg_ros.frames.geometry import own_input_size
from hybrid_seg_ros.report.document import Network

SAVED = "score"
"""What the score of saved maps is called."""


class ScoreSource(Protocol):
    """Gives the maps of any sample of a set; close it."""

    @property
    def kinds(self) -> Sequence[str]:
        """The scores that it can give; the first is the one it is meant to be read by."""
        ...

    @property
    def key(self) -> str:
        """All that its maps depend on beside the image: maps of equal keys are equal. Empty: not worth keeping."""
        ...

    @property
    def classes(self) -> Sequence[str] | None:
        """Names of the ids of its labels; None where it gives none."""
        ...

    @property
    def thresholds(self) -> Mapping[str, float]:
        """Operating points of its first score, by name."""
        ...

    def describe(self) -> Network:
        """What is evaluated."""
        ...

    def maps(self, sample: Sample, kinds: Sequence[str]) -> ScoreMaps:
        """The maps of a sample, at the image's size.

        Raises:
            ValueError, OSError: there are none for this sample, or they cannot be read; the message names the file.
            BackendError: the network failed.
        """
        ...

    def unused(self, samples: Sequence[Sample]) -> list[Path]:
        """Files that it has beside those of the samples."""
        ...

    def close(self) -> None:
        """Release what it holds; may be called twice."""
        ...


class BundleSource:
    """See `ScoreSource`: a bundle's network, loaded when the first map is wanted.

    Args:
        bundle: path or name of a bundle, or a loaded one.
        backend: what runs it, see `backends.create`.
        input_size: (width, height) of the network input; None = the bundle's.
        own_width: run every image at its own width, or at this one where it is wider, px; instead of `input_size`.
        threshold: a value, the name of an operating point, or None for the bundle's: what the document calls it.
        options: everything else about the backend.

    Raises:
        BundleError: the bundle is not there or not valid.
        ValueError: both sizes are given, or there is no such operating point.
    """

    def __init__(
        self,
        bundle: Path | str | Bundle,
        backend: str = "auto",
        *,
        input_size: tuple[int, int] | None = None,
        own_width: int | None = None,
        threshold: float | str | None = None,
        options: BackendOptions | None = None,
    ) -> None:
        if input_size is not None and own_width is not None:
            raise ValueError(f"input size {input_size} and own width {own_width}: expected one of them")
        self._bundle = bundle if isinstance(bundle, Bundle) else load_bundle(find_bundle(bundle))
        manifest = self._bundle.manifest
        points = manifest.score.operating_points
        if isinstance(threshold, str) and threshold not in points:
            raise ValueError(
                f"operating point {threshold!r}: expected one of {', '.join(points)} (bundle {self._bundle.name})"
            )
        self._threshold = threshold
        self._size = None if own_width is not None else input_size or (manifest.input.width, manifest.input.height)
        wanted = options or BackendOptions()

        def open_backend(size: tuple[int, int] | None) -> Backend:
            return create(backend, self._bundle, size or self._size, wanted)

        choose: Callable[[tuple[int, int]], tuple[int, int]] | None = None
        if own_width is not None:
            width = own_width

            def choose(source: tuple[int, int]) -> tuple[int, int]:
                return own_input_size(source, width, manifest.input.multiple_of)

        self._scores = NetworkScores(manifest, open_backend, input_size=choose)
        self._own_width = own_width

    @property
    def bundle(self) -> Bundle:
        """The bundle itself."""
        return self._bundle

    @property
    def kinds(self) -> Sequence[str]:
        """See `ScoreSource`."""
        main = self._bundle.manifest.score.kind
        return [main, *(kind for kind in KINDS if kind != main)]

    @property
    def key(self) -> str:
        """See `ScoreSource`; loads the network, for "auto" is another backend on another machine."""
        info = self._scores.describe()
        ran = f"{info.name} {info.details.get('version', '')} {info.device} {info.precision}"
        return f"{__version__} {bundle_sha256(self._bundle)} {ran} {self._size} {self._own_width}"

    @property
    def classes(self) -> Sequence[str] | None:
        """See `ScoreSource`."""
        return [info.name for info in self._bundle.classes]

    @property
    def thresholds(self) -> Mapping[str, float]:
        """See `ScoreSource`."""
        points = {name: point.threshold for name, point in self._bundle.manifest.score.operating_points.items()}
        return points | ({"chosen": self._threshold} if isinstance(self._threshold, float) else {})

    def describe(self) -> Network:
        """See `ScoreSource`."""
        part = network_part(self._bundle, self._scores.describe(), self._size, self._threshold)
        return part.model_copy(update={"max_width": self._own_width})

    def maps(self, sample: Sample, kinds: Sequence[str]) -> ScoreMaps:
        """See `ScoreSource`."""
        return self._scores(sample.read_image(), cast(Sequence[ScoreKind], kinds))

    def unused(self, samples: Sequence[Sample]) -> list[Path]:
        """See `ScoreSource`."""
        return []

    def close(self) -> None:
        """See `ScoreSource`."""
        self._scores.close()


class SavedSource:
    """See `ScoreSource`: maps that somebody's method saved, one file an image.

    Args:
        folder: where they lie, see `datasets.score_maps`.
        name: of the method; None = the folder's name.
        key: name of the array in npz and HDF5 files; None = the usual one.
        scale: score = offset + scale * pixel, of PNG files.
        offset: see scale.

    Raises:
        DatasetError: no such folder, or no score map in it.
    """

    key = ""
    kinds: Sequence[str] = (SAVED,)
    classes: Sequence[str] | None = None
    thresholds: Mapping[str, float] = {}

    def __init__(
        self, folder: Path, *, name: str | None = None, key: str | None = None, scale: float = 1.0, offset: float = 0.0
    ) -> None:
        self._maps = open_score_maps(folder, key=key, scale=scale, offset=offset)
        self._name = name or folder.resolve().name

    def describe(self) -> Network:
        """See `ScoreSource`."""
        return Network(name=self._name, score=SAVED)

    def maps(self, sample: Sample, kinds: Sequence[str]) -> ScoreMaps:
        """See `ScoreSource`."""
        return ScoreMaps({SAVED: self._maps.read(sample.name)})

    def unused(self, samples: Sequence[Sample]) -> list[Path]:
        """See `ScoreSource`."""
        return self._maps.unused([sample.name for sample in samples])

    def close(self) -> None:
        """See `ScoreSource`."""
