import type { ReactNode } from "react";
import { Link, useRoute } from "wouter";
import { ThemeSwitch } from "../kit/theme.tsx";
import { BasketButton } from "./basket-drawer.tsx";
import { Bell } from "./bell.tsx";
import { CustomerSwitch } from "./customer-switch.tsx";

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
        <nav className="shop-nav" aria-label="Shop">
          <Entry to="/">Products</Entry>
          <Entry to="/shop/orders">Orders</Entry>
          <Entry to="/simulator">Simulator</Entry>
          <a href="/console">Console</a>
        </nav>
        <div className="shop-tools">
          <CustomerSwitch />
          <Bell />
          <BasketButton />
          <ThemeSwitch />
        </div>
      </header>
      <main id="main" className="shop-main">
        {children}
      </main>
    </div>
  );
}

function Entry({ to, children }: { to: string; children: ReactNode }) {
  const [here] = useRoute(to);
  return (
    <Link href={to} aria-current={here ? "page" : undefined}>
      {children}
    </Link>
  );
}
