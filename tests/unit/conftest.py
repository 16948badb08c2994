"""Make the checkout importable as `plugins.…`, whatever its folder is called."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

try:
    import hypothesis
    from hypothesis.configuration import set_hypothesis_home_dir

    # What it remembers names paths of this machine.
    set_hypothesis_home_dir(ROOT / ".cache" / "hypothesis")
    # A busy machine is slow, not wrong.
    hypothesis.settings.register_profile("unit", deadline=None, max_examples=60)
    hypothesis.settings.load_profile("unit")
except ImportError:
    pass
