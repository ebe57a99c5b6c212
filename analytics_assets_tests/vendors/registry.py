"""The forms of all vendors."""

from analytics_assets_tests.vendors import airbridge_forms, bento_forms, statsig_forms

FORMS = (*bento_forms.FORMS, *statsig_forms.FORMS, *airbridge_forms.FORMS)
