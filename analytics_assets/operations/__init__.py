"""What people need beside the loads: alerts, the doctor, housekeeping, the verification of the lake, run launchers.

Each folder can be removed by deleting it. Sources and what lies below them import nothing from here.
"""
