"""Where is the gradient of a convolution's kernel faster as one matrix product?

    python benchmarks/kernel_gradient.py --out benchmarks/results/kernel_gradient.json

For the convolutions of DCGANs, U-Nets and CycleGANs on a processor: PyTorch's own gradient and
that of `kgan.backend.torch.convolution`, in turn, in float32 and bfloat16. The ratio is the median
over the rounds.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import torch
from report import machine

from kgan.backend.torch.convolution import MOST_POSITIONS, kernel_gradient

# batch, channels, filters, size of the map, of the kernel, stride
CONVOLUTIONS = [
    (32, 32, 64, 32, 4, 2),
    (32, 64, 128, 16, 4, 2),
    (8, 128, 256, 8, 4, 2),
    (32, 128, 256, 8, 4, 2),
    (64, 128, 256, 8, 4, 2),
    (128, 128, 256, 8, 4, 2),
    (64, 256, 512, 8, 4, 2),
    (16, 256, 512, 16, 4, 2),
    (1, 512, 512, 4, 4, 2),
    (1, 512, 512, 8, 4, 2),
    (1, 512, 512, 16, 4, 2),
    (1, 256, 512, 32, 4, 2),
    (1, 128, 256, 64, 4, 2),
    (4, 256, 256, 8, 3, 1),
    (16, 256, 256, 8, 3, 1),
    (1, 256, 256, 64, 3, 1),
]


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure(dtype, shape, rounds):
    """Returns the row of one convolution."""
    batch, channels, filters, size, width, stride = shape
    padding = ((width - 1) // 2,) * 2
    strides = (stride,) * 2
    x = torch.randn(batch, size, size, channels, dtype=dtype).movedim(-1, 1)
    kernel = torch.randn(filters, width, width, channels, dtype=dtype).movedim(-1, 1)
    gradient = torch.randn_like(torch.conv2d(x, kernel, None, strides, padding))

    def pytorch():
        options = None, strides, padding, (1, 1), False, (0, 0), 1, (False, True, False)
        return torch.ops.aten.convolution_backward(gradient, x, kernel, *options)[1]

    def product():
        return kernel_gradient(x, gradient, kernel, strides, padding)

    difference = (pytorch().float() - product().float()).norm() / pytorch().float().norm()
    pairs = [(seconds(pytorch), seconds(product)) for _ in range(rounds + 2)][2:]
    return {
        "dtype": str(dtype).removeprefix("torch."),
        "convolution": shape,
        "positions a filter": gradient.numel() / filters**2,
        "pytorch ms": 1e3 * statistics.median(own for own, _ in pairs),
        "product ms": 1e3 * statistics.median(ours for _, ours in pairs),
        "ratio": statistics.median(ours / own for own, ours in pairs),
        "difference": difference.item(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = []
    for dtype in (torch.float32, torch.bfloat16):
        for shape in CONVOLUTIONS:
            rows.append(measure(dtype, shape, options.rounds))
            print(*(f"{v:.2g}" if isinstance(v, float) else v for v in rows[-1].values()), sep="\t")
    report = {"machine": machine(), "threads": options.threads, "rounds": options.rounds}
    report |= {"used up to": {str(k): v for k, v in MOST_POSITIONS.items()}, "rows": rows}
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
