import { useState } from "react";
import { Moon, Screen, Sun } from "./icons.tsx";
import { chooseTheme, readTheme, type Theme, themes } from "./theme.ts";

const looks = {
  system: { Icon: Screen, label: "System theme" },
  light: { Icon: Sun, label: "Light theme" },
  dark: { Icon: Moon, label: "Dark theme" },
};

export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(readTheme);
  return (
    <fieldset aria-label="Theme" className="flex rounded-[5px] border border-line p-px">
      {themes.map((name) => {
        const { Icon, label } = looks[name];
        return (
          <button
            key={name}
            type="button"
            aria-pressed={theme === name}
            aria-label={label}
            title={label}
            className="grid size-6 place-items-center rounded-[3px] text-ink-3 hover:text-ink aria-pressed:bg-hover aria-pressed:text-ink"
            onClick={() => {
              chooseTheme(name);
              setTheme(name);
            }}
          >
            <Icon className="size-3.5" />
          </button>
        );
      })}
    </fieldset>
  );
}
