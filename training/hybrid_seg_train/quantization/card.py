"""What the 8-bit files of a bundle cost, on its model card."""

import re

from hybrid_seg_ros.bundle import Bundle, cost_text, seal_bundle

CARD = "MODEL_CARD.md"
_HEADING = "## 8-bit files"


def tell_on_card(bundle: Bundle) -> Bundle:
    """The bundle with its measured cost on the model card, in the place of what stood there before.

    A bundle without a card stays as it is.
    """
    if CARD not in bundle.manifest.files:
        return bundle
    path = bundle.path / CARD
    text = re.sub(rf"\n*{_HEADING}\n.*?(?=\n## |\Z)", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    lines = "\n".join(f"    {line}" for line in cost_text(bundle.manifest).splitlines())
    made = bundle.manifest.quantization
    how = "" if made is None else f"Ranges: {made.method}, {made.images} images, {made.source}. "
    path.write_text(
        f"{text.rstrip()}\n\n{_HEADING}\n\n{how}Beside FP32, on the same images:\n\n{lines}\n", encoding="utf-8"
    )
    return seal_bundle(bundle.path)
