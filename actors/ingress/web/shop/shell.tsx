import type { ReactNode } from "react";
import { Link } from "wouter";
import { ThemeSwitch } from "../kit/theme.tsx";

/** The frame of the shop: its name, where one can go, and the page. */
export function Shell({ children }: { children: ReactNode }) {
  return (
    <div className="shop">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header className="shop-head">
        <Link className="brand" href="/">
          Troupe
        </Link>
        <nav className="row grow" aria-label="Shop">
          <Link href="/">Products</Link>
        </nav>
        <a className="button quiet" href="/console">
          Console
        </a>
        <ThemeSwitch />
      </header>
      <main id="main" className="shop-main">
        {children}
      </main>
    </div>
  );
}
