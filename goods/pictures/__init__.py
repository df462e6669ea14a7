"""The pictures of the sample goods: name of the picture to the function that draws it."""

from pictures.covers import COVERS
from pictures.screens import SCREENS

PICTURES = COVERS | SCREENS
