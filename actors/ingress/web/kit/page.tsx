import type { ReactNode } from "react";

/** The head of a page, and what is on it. */
export function Page({ title, children, tools }: { title: ReactNode; children: ReactNode; tools?: ReactNode }) {
  return (
    <div className="stack page">
      <header className="row">
        <h1 className="grow clip">{title}</h1>
        {tools}
      </header>
      {children}
    </div>
  );
}

/** A part of a page, in a frame. */
export function Section({ title, children, tools }: { title: string; children: ReactNode; tools?: ReactNode }) {
  return (
    <section className="card" aria-label={title}>
      <header>
        <h2 className="grow">{title}</h2>
        {tools}
      </header>
      <div className="body">{children}</div>
    </section>
  );
}
