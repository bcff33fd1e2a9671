"""Get a listed clip's media: from a folder, or through yt-dlp."""

from foleybench.prepare.obtain.source import Source, obtained

__all__ = ["Source", "obtained"]
