"""A trained policy as a folder for transformers and the Hub, with a card that says how it came about.

    history.py   the runs behind a policy, stage by stage
    results.py   accuracy from a folder of `r1ci eval run`
    card.py      the words
    folder.py    the files

Left out: publishing the folder (`hf upload`), evaluating the policy (`evaluation/`).
"""
