import { CircleCheck, CircleX, type LucideIcon, RefreshCw, Timer } from "lucide-react";

const CARDS: readonly {
  readonly token: string;
  readonly name: string;
  readonly does: string;
  readonly icon: LucideIcon;
}[] = [
  { token: "tok_ok", name: "Goes through", does: "•••• 4242", icon: CircleCheck },
  { token: "tok_declined", name: "Declined", does: "•••• 0002, the bank says no", icon: CircleX },
  { token: "tok_flaky", name: "Flaky", does: "•••• 0341, fails twice, then goes through", icon: RefreshCw },
  { token: "tok_slow", name: "Slow", does: "•••• 9987, takes some seconds", icon: Timer },
];

/** The cards of the payment sandbox, each saying what it does. No real card is asked for. */
export function PaymentCards({ token, onChange }: { token: string; onChange: (token: string) => void }) {
  return (
    <fieldset className="cards">
      <legend className="label">Card of the sandbox</legend>
      {CARDS.map(({ token: value, name, does, icon: Icon }) => (
        <label key={value} className="pay-card" data-chosen={token === value}>
          <input type="radio" name="card" value={value} checked={token === value} onChange={() => onChange(value)} />
          <Icon size={18} aria-hidden="true" />
          <span className="grow">
            <strong>{name}</strong>
            <span className="soft small">{does}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
