import os
from pathlib import Path

import pytest
from support.recordings import record

from hybrid_seg_ros.assessment.option_paths import for_recording, refuse_common
from hybrid_seg_ros.assessment.recording_options import RecordingOptions
from hybrid_seg_ros.assessment.run_key import forget, is_done, run_key, write_key
from hybrid_seg_ros.bundle import Bundle
from hybrid_seg_ros.report.document import Evaluation, Network, write_evaluation


def test_whatever_changes_the_results_changes_the_key(tmp_path: Path, bundle_copy: Bundle) -> None:
    bag = record(tmp_path / "bag", 1)
    truth = tmp_path / "truth"
    truth.mkdir()
    (truth / "0.png").write_bytes(b"1")

    def key(**changed: object) -> str:
        options = {"bundle": str(bundle_copy.path), "truth": truth} | changed
        return str(run_key(bag, RecordingOptions(**options)))  # type: ignore[arg-type]

    seen = [key()]
    assert key() == seen[0]
    seen.append(key(threshold=2.5))
    seen.append(key(input_size=(64, 48)))
    seen.append(key(truth=None))
    (truth / "0.png").write_bytes(b"22")
    seen.append(key())
    os.utime(next(bag.glob("*.mcap")), ns=(1, 1))
    seen.append(key())
    manifest = bundle_copy.path / "manifest.yaml"
    manifest.write_text(manifest.read_text() + "\n# another one\n")
    seen.append(key())
    assert len(set(seen)) == len(seen)
    (bundle_copy.path / "model.engine").touch()
    assert key() == seen[-1], "an engine that was cached meanwhile changes nothing"


def test_done_is_a_whole_document_with_the_same_key(tmp_path: Path, bundle_copy: Bundle) -> None:
    key = run_key(record(tmp_path / "bag", 1), RecordingOptions(bundle=str(bundle_copy.path), rates_hz=(10.0, 30.0)))
    out = tmp_path / "out"
    assert not is_done(out, key)
    write_evaluation(
        out / "evaluation.json", Evaluation(kind="recording", name="a", network=Network(name="n"), images=1)
    )
    assert not is_done(out, key), "cut off before the key was written"
    write_key(out, key)
    assert is_done(out, key)
    assert not is_done(out, key | {"version": "0"})
    forget(out)
    assert not is_done(out, key)


def test_paths_of_each_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    options = RecordingOptions(
        bundle="mine", truth=Path("{folder}/labels/{name}"), results=Path("seen/{name}"), against=Path("other")
    )
    own = for_recording(options, Path("drives/monday/front.mcap"))
    assert own.truth == tmp_path / "drives/monday/labels/front"
    assert own.results == tmp_path / "seen/front"
    assert own.against == tmp_path / "other"
    assert own.bundle == str(tmp_path / "mine")
    assert for_recording(RecordingOptions(bundle="shipped"), Path("drives/a")).bundle == "shipped"
    with pytest.raises(ValueError, match=r"--against other is one recording"):
        refuse_common(options)
    refuse_common(RecordingOptions(results=Path("{folder}/results"), truth=Path("labels")))
