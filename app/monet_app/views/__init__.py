"""The app's own views: three linked planes and 3-D, toolbar and cursor strip (`OrthoStage`)."""
