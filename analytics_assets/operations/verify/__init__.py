"""Whether the lake is whole and Dagster's record agrees with it, and what repairs the rest.

`files.py` lists what there is and looks at each file; `record.py` is Dagster's record of the same tables;
`verification.py` puts both side by side; `repairs.py` names the loads that repair it and records files. What is printed of it is `cli/lake.py`.
"""
