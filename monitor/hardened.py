"""Importing this hardens the process: for servers that fork (multiprocessing), which run nothing but imports."""

from monitor.process import harden

harden()
