"""The script that a runner starts: shut this process in, then do what the parent asks.

Its one argument is a dictionary in Python's notation: ``route`` ("none", "bubblewrap" or
"namespaces"), ``channel`` (the descriptor of the conversation), ``limits`` (the fields of
``Limits``), ``site`` (folders of installed packages), ``uid`` (to become, or None), ``paths`` and
``links`` (what route "namespaces" shows of the host).
"""

import sys

if __name__ == "__main__":
    sys.path.insert(0, __file__.rpartition("/")[0])
    settings = eval(sys.argv[1])  # written by the parent
    import program_child

    if settings["route"] == "none":
        import resource_limits

        resource_limits.apply(settings["limits"])
    else:
        import confinement
        import new_root

        try:
            if settings["route"] == "namespaces":
                new_root.enter(settings["paths"], settings["links"], settings["uid"])
            confinement.shut(settings["limits"], settings["uid"])
        except OSError as error:
            sys.exit(error.strerror or str(error))  # for the parent, who shows it
    sys.path[:1] = []
    sys.path += settings["site"]
    program_child.serve(settings["channel"])
