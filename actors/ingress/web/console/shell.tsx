import type { ReactNode } from "react";
import { Link, useRoute } from "wouter";
import { Palette, PaletteButton } from "../kit/palette.tsx";
import { Shortcuts } from "../kit/shortcuts.tsx";
import { ThemeSwitch } from "../kit/theme.tsx";
import { type Attention, useAttention } from "./attention.ts";
import { PAGES } from "./pages.ts";
import { usePaletteEntries } from "./palette-entries.ts";

/** The frame of the console: where one can go, where one is, and what needs attention where. */
export function Shell({ children }: { children: ReactNode }) {
  const attention = useAttention();
  return (
    <div className="console">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <nav className="console-nav" aria-label="Console">
        <a className="brand" href="/">
          Troupe
        </a>
        <PaletteButton />
        <ul>
          {PAGES.map((page) => (
            <Entry key={page.to} {...page} attention={attention ?? []} />
          ))}
        </ul>
        <div className="row console-nav-foot">
          <a className="button quiet" href="/">
            Shop
          </a>
          <a className="button quiet" href="/openapi">
            API
          </a>
          <a className="button quiet" href="/docs">
            Docs
          </a>
          <ThemeSwitch />
        </div>
      </nav>
      <main id="main" className="console-main">
        {children}
      </main>
      <Palette useEntries={usePaletteEntries} />
      <Shortcuts />
    </div>
  );
}

function Entry({
  to,
  also,
  label,
  icon: Icon,
  attention,
}: (typeof PAGES)[number] & { attention: readonly Attention[] }) {
  const [exact] = useRoute(to);
  const [below] = useRoute(`${to}/*`);
  const [beside] = useRoute(also ?? to);
  const waiting = to === "/" ? 0 : attention.filter((one) => one.to.split("?")[0]?.startsWith(to)).length;
  return (
    <li>
      <Link href={to} aria-current={exact || beside || (to !== "/" && below) ? "page" : undefined}>
        <Icon size={16} aria-hidden="true" />
        <span className="grow">{label}</span>
        {waiting > 0 && (
          <span className="nav-count number" title={`${waiting} need attention`}>
            {waiting}
            <span className="visually-hidden"> need attention</span>
          </span>
        )}
      </Link>
    </li>
  );
}
