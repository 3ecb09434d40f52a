"""`python -m monitor` is the `monitor` command."""

if __name__ == "__main__":  # the processes it starts load this module too, and need nothing of it
    from monitor.cli import main

    main()
