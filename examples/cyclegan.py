"""Turns day into dusk and dusk into day, without a single pair, with CycleGAN.

    python examples/cyclegan.py FOLDER

`FOLDER` has `trainA`, `trainB`, `testA` and `testB`, as the CycleGAN data sets do. On 203
photographs of streets by day and 100 at dusk (CamVid; Brostow et al., 2008; for research use), 64
px, 8 epochs with Keras on TensorFlow, the mean brightness of 24 test images went from -0.16 to
-0.56 (dusk has -0.50) and back from dusk from -0.50 to -0.19; there and back again they differ by
0.121 from themselves, on a scale of 2. The light is right, and at this size fine detail is lost:
`cyclegan.png` has day, as dusk, back again, dusk, as day.
"""

import sys
from pathlib import Path

import keras
import numpy as np

import kgan
from kgan.images import save_columns

folder, size = Path(sys.argv[1]), (64, 64)
shape = (*size, 3)
keras.utils.set_random_seed(0)
domains = kgan.data.image_domains(folder / "trainA", folder / "trainB", size)
gan = kgan.CycleGAN(
    kgan.networks.cyclegan_generator(shape, width=16, blocks=4),
    kgan.networks.cyclegan_generator(shape, width=16, blocks=4),
    kgan.networks.patch_discriminator(shape, width=16, receptive_field=34),
    kgan.networks.patch_discriminator(shape, width=16, receptive_field=34),
    jitter=kgan.layers.jitter(size, seed=0),
    seed=0,
)
steps = 8 * len(domains)
gan.compile(  # the rates fall in the second half of the run
    generator_optimizer=keras.optimizers.Adam(kgan.schedules.LinearDecay(2e-4, steps), 0.5),
    discriminator_optimizer=keras.optimizers.Adam(kgan.schedules.LinearDecay(2e-4, steps), 0.5),
)
gan.fit(domains, epochs=8, verbose=0, callbacks=[kgan.callbacks.ProgressBar()])

test = kgan.data.image_domains(folder / "testA", folder / "testB", size, 24, shuffle=False)
day, dusk = test[0]
as_dusk, as_day = gan.translate(day, "ab"), gan.translate(dusk, "ba")
back = gan.translate(as_dusk, "ba")
save_columns("cyclegan.png", day[::6], as_dusk[::6], back[::6], dusk[::6], as_day[::6])
shown = {"day": day, "day as dusk": as_dusk, "dusk": dusk, "dusk as day": as_day}
for name, images in shown.items():
    print(f"mean brightness of {name}: {images.mean():.2f}")
print(f"day to dusk and back: mean absolute difference {np.abs(back - day).mean():.3f}")
