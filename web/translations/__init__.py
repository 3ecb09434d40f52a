"""The Dutch and English catalogues of the site, and the script that keeps them."""
