"""The version, in a file below all that states it."""

PACKAGE_VERSION = "0.1.0"
