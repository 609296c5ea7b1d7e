"""Pictures that fool a model: attacks, accuracy under attack, pictures made for a class."""
