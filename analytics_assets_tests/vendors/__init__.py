"""Contains what the simulated vendors of tests do beside the shipped sandbox: other forms of responses, and names that trip readers.

A form changes a response on its way out (`forms.py` has the switches, `<vendor>_forms.py` the changes). Pass `Forms(...).applied` to
`create_app` as `revise`. Add a form of a vendor to its module; faults of the connection are rules of `sandbox/faults.py`.
"""
