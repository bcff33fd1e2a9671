"""Turn mel tokens into audio: vocoders and a generator."""
