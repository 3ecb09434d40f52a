"""What both applications are made of: headers, languages, base templates, limits and the server."""
