"""Write the generated parts of the manual again.

python -m tests.docs --write                 what stands in the code: reference, features
python -m tests.docs --write --frameworks    what has to be trained too; needs torch, jax, optax and keras
"""

from __future__ import annotations

import argparse
import os

from tests.docs.generated import FRAMEWORKS, PARTS, filled, pages


def main() -> int:
    """Write or check the generated parts; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the pages; without it, name those that are stale")
    parser.add_argument("--frameworks", action="store_true", help="train for the table of frameworks as well")
    asked = parser.parse_args()
    if asked.frameworks:
        os.environ["KERAS_BACKEND"] = "jax"
        import torch

        torch.set_default_dtype(torch.float64)
    stale = 0
    for path in pages():
        old = path.read_text(encoding="utf-8")
        new = filled(old, PARTS | (FRAMEWORKS if asked.frameworks else {}))
        if new != old:
            stale += not asked.write
            print(f"{'wrote' if asked.write else 'stale:'} {path.name}")
            if asked.write:
                path.write_text(new, encoding="utf-8")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
