"""The training loop on Lightning: steps, checkpoints, resume, metrics.

batches           The batches of a training run, resumable at any step
best              Keeping the weights that answer the dev sets best, and stopping when they get no better
checkpoint        The state of a training run on disk without pickle: a folder with tensors as safetensors
fit               Train a regime in a folder, so that a killed run goes on from where it was
metrics           Training metrics as CSV: one line a number, only ever appended, continued after a kill
module            The bridge from a regime to Lightning: steps, optimiser, dev scores. All else is the regime's
optimizer         AdamW with a rate for each part, a warm-up and a linear decay
progress          How far training is and how well it goes, shown as all work is
refresh_callback  Refreshing the index of live examples while training goes on
resume            Going on after a kill as if nothing had happened: states saved every few steps
"""
