"""Tells what is wrong with a folder of photo/sketch pairs, before hours of training."""
