"""Getting the media of a listed clip: from a folder of files, or through yt-dlp."""

from foleybench.prepare.obtain.source import Source, obtained

__all__ = ["Source", "obtained"]
