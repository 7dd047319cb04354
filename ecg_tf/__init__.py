"""Raw ECGs to images, GANs on them, and an honest look at what they generate."""

__version__ = "0.1.0"
