"""How an image becomes the numbers that a network takes: its size, its cut, its scale; and JPEGs on the device."""
