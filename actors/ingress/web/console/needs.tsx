import { ArrowRight, CircleCheck } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Skeleton } from "../kit/feedback.tsx";
import { Section } from "../kit/page.tsx";
import { State } from "../kit/state.tsx";
import { useAttention } from "./attention.ts";

/** What needs attention now, the worst first, each with what to do. */
export function Needs(): ReactNode {
  const attention = useAttention();
  if (attention === undefined) return <Skeleton height={56} />;
  if (attention.length === 0)
    return (
      <div className="all-well" role="status">
        <CircleCheck size={18} aria-hidden="true" />
        <strong>Nothing needs attention</strong>
        <span className="soft">All components answer, nothing is stuck, nothing waits for you.</span>
      </div>
    );
  return (
    <Section title="Needs attention">
      <ul className="lines">
        {attention.map(({ tone, word, what, todo, to }) => (
          <li key={what}>
            <State tone={tone}>{word}</State>
            <span className="grow">
              <strong>{what}</strong>
              <span className="soft todo">{todo}</span>
            </span>
            <Link href={to} className="button" aria-label={`Open: ${what}`}>
              Open
              <ArrowRight size={14} aria-hidden="true" />
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}
