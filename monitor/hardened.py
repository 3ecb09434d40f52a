"""Importing this hardens the process: for servers that fork (multiprocessing), which run nothing but imports."""

from monitor.workers import harden

harden()
