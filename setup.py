"""The packages: those under `kgan`, and `export`, which is imported as `kgan.export`."""

from setuptools import find_packages, setup

exported = ["kgan.export", *(f"kgan.export.{name}" for name in find_packages("export"))]
setup(
    packages=[*find_packages(include=["kgan", "kgan.*"]), *exported],
    package_dir={"kgan": "kgan", "kgan.export": "export"},
)
