/** The reader's theme: chosen, or the system's. public/theme.js turns the choice into what is drawn. */
export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

export function readTheme(): Theme {
  const chosen = document.documentElement.dataset["themeChoice"];
  return themes.find((theme) => theme === chosen) ?? "system";
}

export function chooseTheme(theme: Theme): void {
  document.documentElement.dataset["themeChoice"] = theme;
  try {
    localStorage.setItem("weir.theme", theme);
  } catch {
    // Storage is blocked: the choice holds until the page is closed.
  }
}
