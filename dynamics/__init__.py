"""The ODE side: input measures, teacher-student problems, reduced flows and their integration.

Knows numpy, scipy and xarray; never imports torch, ``nets`` or ``verify``.
"""
