const STORAGE_KEY = 'depthwire.theme';

export type Theme = 'dark' | 'light';

/** The theme in use: the remembered choice, else what the system prefers. */
export function currentTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'dark' || chosen === 'light') return chosen;
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}

/** Puts a remembered choice into effect; without one the style sheet follows the system. */
export function restoreTheme(): void {
  const chosen = readChoice();
  if (chosen !== null) document.documentElement.dataset.theme = chosen;
}

/** Changes to the other theme and remembers it. */
export function toggleTheme(): Theme {
  const next = currentTheme() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem(STORAGE_KEY, next);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  return next;
}

function readChoice(): Theme | null {
  try {
    const value = localStorage.getItem(STORAGE_KEY);
    return value === 'dark' || value === 'light' ? value : null;
  } catch {
    return null;
  }
}

/** A colour of the style sheet as `#rrggbb`, for what knows no variables; the build may have shortened it. */
export function themeColour(name: string): string {
  const text = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text);
  if (short === null) return text;
  return `#${short
    .slice(1)
    .map((digit) => digit + digit)
    .join('')}`;
}
