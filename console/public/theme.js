// Runs before first paint, so that a chosen theme never flashes. External, because the policy forbids inline scripts.
try {
  var theme = localStorage.getItem("weir.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch (_) {
  // Storage is blocked: the system's theme applies.
}
