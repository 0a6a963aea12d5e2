"""The training loop: configs descend in lockstep, by minibatches, by whole batches, or on a surface.

clipping, early_stopping, parameter_groups, outcome, lanes, minibatches -> full_batch_loop, surface_loop -> descent
hypers: the hyperparameters of all of it, row by row
"""
