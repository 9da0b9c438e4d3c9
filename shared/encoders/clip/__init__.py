"""The CLIP family: networks that map images and texts into one space (Radford et al. 2021)."""
