"""Finds the packages: each folder of code below is installed as ``riverstone.<folder>``, with all that it holds.

Of the manual the pages go along that tell of the codes: ``riverstone explain``.
"""

from setuptools import find_packages, setup

FOLDERS = ("api", "bpmn_samples", "engine", "models")

setup(
    packages=[
        "riverstone",
        "riverstone.manual",
        *(f"riverstone.{package}" for package in find_packages(include=[*FOLDERS, *(f"{each}.*" for each in FOLDERS)])),
    ],
    py_modules=["pytest_riverstone"],
    package_dir={
        "riverstone": "command",
        "riverstone.manual": "docs",
        **{f"riverstone.{folder}": folder for folder in FOLDERS},
    },
)
