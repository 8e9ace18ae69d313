"""The stages of a training, one verl job after another: started, followed, checked, handed over, written down.

    plan.py         what is to be done
    driver.py       does it, from wherever it stopped
    process.py      one verl job as a child process
    check.py        did the stage begin and end as it should?
    handover.py     the policy of a finished run; a reference other than the starting policy
    remeasure.py    potential and manifest anew between stages
    run_folder.py   the files a run of a recipe leaves
    state.py        what is finished

Left out: training itself (verl), what a stage trains on (`curriculum/`), publishing the outcome (`export/`).
"""
