"""The quarterly report on paper and as one file: the site's rows, typeset in Dutch and English."""
