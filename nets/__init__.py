"""The torch side: ensembles of really trained networks, built from the same problems as the flows.

May import ``dynamics``; never imports ``verify``.
"""
