"""The version, in a file that imports nothing."""

PACKAGE_VERSION = "0.1.0"
