import { Monitor, Moon, Sun } from "lucide-react";
import { useState } from "react";

const NEXT = { system: "light", light: "dark", dark: "system" } as const;
type Theme = keyof typeof NEXT;
const NAME = "troupe-theme";
const ICONS = { system: Monitor, light: Sun, dark: Moon } as const;

function stored(): Theme {
  const value = localStorage.getItem(NAME);
  return value === "light" || value === "dark" ? value : "system";
}

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

apply(stored());

/** Light, dark, or as the system has it; kept for the next visit. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState(stored);
  const Icon = ICONS[theme];
  return (
    <button
      type="button"
      className="button quiet icon"
      aria-label={`Colours: ${theme}. Change`}
      title={`Colours: ${theme}`}
      onClick={() => {
        const next = NEXT[theme];
        localStorage.setItem(NAME, next);
        apply(next);
        setTheme(next);
      }}
    >
      <Icon size={16} />
    </button>
  );
}
