"""What weights are worth: outputs, metrics of rows, the training loss and objective, and their gradients checked.

predictions, row_values, training_loss -> separation -> training_objective, gradient_check
"""
