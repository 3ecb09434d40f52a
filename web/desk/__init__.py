"""What needs a token: pushes of hotlines, health and metrics of the installation."""
