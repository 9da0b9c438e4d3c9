"""A small Afterimage in virtual time: indexers, a log, replicas, a topic and a store, and whatever can go wrong.

Everything that happens follows from the steps that are taken and from one seed. The truth is the fold of all that was
ever written to the topic, kept apart from every fault and from the code that is tested.
"""
