// Runs before first paint, so that a theme never flashes. External, because the policy forbids inline scripts.
// data-theme-choice: system, light or dark, as the reader chose. data-theme: light or dark, as it is drawn.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const choice = root.dataset.themeChoice;
    root.dataset.theme = choice === "light" || choice === "dark" ? choice : system.matches ? "dark" : "light";
  };
  try {
    root.dataset.themeChoice = localStorage.getItem("weir.theme") ?? "system";
  } catch {
    // Storage is blocked: the system's theme applies.
    root.dataset.themeChoice = "system";
  }
  apply();
  system.addEventListener("change", apply);
  new MutationObserver(apply).observe(root, { attributeFilter: ["data-theme-choice"] });
})();
