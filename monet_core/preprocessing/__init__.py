"""From a scan to model space and back: conform, N4, rigid registration, normalisation."""
