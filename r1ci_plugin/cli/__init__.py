"""The command line `r1ci`: one module a command. Left out: what the commands do."""
