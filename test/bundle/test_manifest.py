from collections.abc import Callable
from typing import Any

import pytest
import yaml
from support.bundles import make_bundle

from hybrid_seg_ros.bundle import (
    Bundle,
    BundleError,
    DomainStatistics,
    LogitStatistics,
    copy_bundle,
    describe,
    load_bundle,
    seal_bundle,
)
from hybrid_seg_ros.bundle.store import read_manifest

K = 11


def statistics(classes: int = K) -> dict[str, Any]:
    rows = [[0.25 * k for k in range(classes)] for _ in range(classes)]
    return {
        "source": "generated",
        "pixels": [9] * (classes - 1) + [0],
        "means": rows,
        "variances": [[1.5] * classes] * classes,
    }


def edit(bundle: Bundle, change: Callable[[dict[str, Any]], Any]) -> None:
    raw = read_manifest(bundle.path)
    change(raw["score"])
    (bundle.path / "manifest.yaml").write_text(yaml.dump(raw, Dumper=_NoAliases))


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def test_a_manifest_need_not_know_of_tables_and_statistics(tiny_bundle: Bundle) -> None:
    assert tiny_bundle.manifest.score.confidence_table is None
    assert tiny_bundle.manifest.score.statistics is None
    # What is not there is not written: versions without these fields refuse unknown keys.
    assert {"confidence_table", "statistics"}.isdisjoint(read_manifest(tiny_bundle.path)["score"])


def test_table_and_statistics_are_read_kept_and_described(bundle_copy: Bundle) -> None:
    knots = [[0.0, 0.1], [0.5, 0.1], [1.0, 0.95]]
    edit(bundle_copy, lambda score: score.update(confidence_table=knots, statistics=statistics()))
    loaded = load_bundle(bundle_copy.path)
    assert loaded.manifest.score.confidence_table == ((0.0, 0.1), (0.5, 0.1), (1.0, 0.95))
    assert loaded.manifest.score.statistics == LogitStatistics.model_validate(statistics())
    assert seal_bundle(bundle_copy.path).manifest == loaded.manifest
    text = describe(loaded)
    assert "temperature 1, then a table of 3 knots" in text
    assert "logits of 10 classes, on generated" in text


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda score: score.update(confidence_table=[[0.0, 0.1]]), "score.confidence_table"),
        (lambda score: score.update(confidence_table=[[i / 64, 0.5] for i in range(65)]), "score.confidence_table"),
        (lambda score: score.update(confidence_table=[[0.0, 0.1], [1.0, 1.1]]), "score.confidence_table.1.1"),
        (lambda score: score.update(confidence_table=[[0.5, 0.1], [0.5, 0.2]]), "expected ascending knots"),
        (lambda score: score.update(confidence_table=[[0.0, 0.3], [0.5, 0.2]]), "expected ascending knots"),
        (lambda score: score.update(statistics=statistics(4)), "is of 4 classes, expected the 11 of classes"),
        (lambda score: score.update(statistics={**statistics(), "variances": [[0.0] * K] * K}), "variances.0.0"),
        (
            lambda score: score.update(statistics={**statistics(), "means": [[0.0] * 3] * K}),
            "statistics.means has rows",
        ),
        (lambda score: score.update(statistics={**statistics(), "means": [[float("nan")] * K] * K}), "means.0.0"),
    ],
)
def test_wrong_tables_and_statistics_are_named(
    bundle_copy: Bundle, change: Callable[[dict[str, Any]], Any], fault: str
) -> None:
    edit(bundle_copy, change)
    with pytest.raises(BundleError) as caught:
        load_bundle(bundle_copy.path)
    assert fault in caught.value.found


def test_statistics_of_many_classes_still_fit_a_manifest(tmp_path: Any) -> None:
    bundle = make_bundle(tmp_path / "many", classes=64)
    edit(bundle, lambda score: score.update(statistics=statistics(64)))
    assert load_bundle(bundle.path).manifest.score.statistics is not None


KNOWN_SCENES = {"source": "generated", "images": 40, "typical": -12.5, "high": -11.0}


def edit_domain(bundle: Bundle, value: dict[str, Any]) -> None:
    raw = read_manifest(bundle.path)
    raw["domain"] = value
    (bundle.path / "manifest.yaml").write_text(yaml.dump(raw))


def test_statistics_of_known_scenes_are_read_kept_and_described(tiny_bundle: Bundle, bundle_copy: Bundle) -> None:
    assert tiny_bundle.manifest.domain is None
    assert "domain" not in read_manifest(tiny_bundle.path)
    assert "known scenes" not in describe(tiny_bundle)
    edit_domain(bundle_copy, KNOWN_SCENES)
    loaded = load_bundle(bundle_copy.path)
    assert loaded.manifest.domain == DomainStatistics.model_validate(KNOWN_SCENES)
    assert seal_bundle(bundle_copy.path).manifest == loaded.manifest
    assert "median pixel -12.5, in the top percent of images from -11; 40 images: generated" in describe(loaded)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"high": -12.5}, "domain.high is -12.5, expected more than domain.typical, -12.5"),
        ({"high": float("nan")}, "domain.high"),
        ({"images": 0}, "domain.images"),
        ({"source": ""}, "domain.source"),
    ],
)
def test_wrong_statistics_of_known_scenes_are_named(bundle_copy: Bundle, change: dict[str, Any], fault: str) -> None:
    edit_domain(bundle_copy, KNOWN_SCENES | change)
    with pytest.raises(BundleError) as caught:
        load_bundle(bundle_copy.path)
    assert fault in caught.value.found


def test_a_copy_takes_statistics_of_known_scenes_and_keeps_them(tiny_bundle: Bundle, tmp_path: Any) -> None:
    known = DomainStatistics.model_validate(KNOWN_SCENES)
    first = copy_bundle(tiny_bundle, tmp_path / "first", points={}, domain=known)
    assert first.manifest.domain == known
    assert copy_bundle(first, tmp_path / "second", points={}).manifest.domain == known
