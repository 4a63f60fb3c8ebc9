import { LayoutDashboard, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Link, useRoute } from "wouter";
import { ThemeSwitch } from "../kit/theme.tsx";

const PAGES: readonly { readonly to: string; readonly label: string; readonly icon: LucideIcon }[] = [
  { to: "/", label: "Overview", icon: LayoutDashboard },
];

/** The frame of the console: where one can go, and where one is. */
export function Shell({ children }: { children: ReactNode }) {
  return (
    <div className="console">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <nav className="console-nav" aria-label="Console">
        <a className="brand" href="/">
          Troupe
        </a>
        <ul>
          {PAGES.map((page) => (
            <Entry key={page.to} {...page} />
          ))}
        </ul>
        <div className="row console-nav-foot">
          <ThemeSwitch />
        </div>
      </nav>
      <main id="main" className="console-main">
        {children}
      </main>
    </div>
  );
}

function Entry({ to, label, icon: Icon }: (typeof PAGES)[number]) {
  const [exact] = useRoute(to);
  const [below] = useRoute(`${to}/*`);
  return (
    <li>
      <Link href={to} aria-current={exact || (to !== "/" && below) ? "page" : undefined}>
        <Icon size={16} aria-hidden="true" />
        <span className="grow">{label}</span>
      </Link>
    </li>
  );
}
