"""Whether the lake is whole and Dagster's record agrees with it, and how what is not is mended.

`files.py` lists what there is and looks at each file, `copies.py` at copies of months; `record.py` is Dagster's record of the same tables;
`looking.py` puts both side by side; `mending.py` asks for days again and records files. What is printed of it is `commands/lake.py`.
"""
