"""The kinds of models that `kgan train` makes, and the options that only some of them have."""

import enum


class Network(enum.StrEnum):
    """Families in `kgan.networks`."""

    dcgan = "dcgan"
    mlp = "mlp"
    resnet = "resnet"


class Kind(enum.StrEnum):
    """Models that `train` can make; conditional and acgan learn from labels."""

    gan = "gan"
    conditional = "conditional"
    acgan = "acgan"
    pix2pix = "pix2pix"
    cyclegan = "cyclegan"

    @property
    def translates(self):
        """Whether it makes images of images, not of latents."""
        return self in (Kind.pix2pix, Kind.cyclegan)

    @property
    def defaults(self):
        """What the options that not all kinds have in the same way are where they are left out."""
        return TRANSLATOR if self.translates else SAMPLER

    def refuse_others(self, **options):
        """Raises a ValueError for an option that is given, and only kinds of the other side have.

        Args:
            **options: by name; None and False stand for not given.
        """
        for name, value in options.items():
            if name not in self.defaults and value is not None and value is not False:
                why = "Only a translator, as of --model pix2pix, takes {}"
                if self.translates:
                    why = "Translators have networks of their own, without latents"
                option = f"--{name.replace('_', '-')}"
                raise ValueError(
                    f"{why.format(option)}: leave it out. "
                    f"Received: {option}{'' if value is True else f' {value}'}"
                )


SAMPLER = {"batch_size": 64, "network": Network.dcgan, "latent_dim": 64}
TRANSLATOR = {"batch_size": 1, "targets": None, "swap": False, "jitter": True}
BY_KIND = {*SAMPLER, *TRANSLATOR}
