"""The report page: what its parts show of verdicts, with the templates, style sheets and scripts beside them."""
