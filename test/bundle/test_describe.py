from hybrid_seg_ros.bundle import Bundle, describe


def test_says_everything_a_user_asks_for(tiny_bundle: Bundle) -> None:
    text = describe(tiny_bundle)
    for part in ("tiny", "float32[1, 3, 96, 128], rgb, any multiple of 32", "letterbox", "stride 4"):
        assert part in text
    for known in tiny_bundle.classes:
        assert known.name in text
    assert "* tpr95    > 0          TPR 95.00 %, on generated" in text
    for name, digest in tiny_bundle.manifest.files.items():
        assert name in text
        assert digest[:16] in text
    assert max(map(len, text.splitlines())) <= 120 or str(tiny_bundle.path) in text.splitlines()[0]
