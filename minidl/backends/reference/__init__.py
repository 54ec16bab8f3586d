"""The specification: every array function, readable, on any array module `xp`."""
