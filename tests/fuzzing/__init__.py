"""Targets of the fuzzer: ``scripts/fuzz.py`` runs them for long, ``tests/test_fuzz.py`` replays the corpus."""
