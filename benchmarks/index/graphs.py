"""The parameters of every graph that is compared: those of the service's own (a test holds them to be)."""

CONNECTIVITY = 16
EXPANSION_ADD = 128
