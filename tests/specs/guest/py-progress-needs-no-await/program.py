import tta

tta.progress("one")
1
