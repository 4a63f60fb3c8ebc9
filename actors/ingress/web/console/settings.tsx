import { useState } from "react";
import { type RunAction, useAction } from "../kit/action.ts";
import { session } from "../kit/api.ts";
import { CopyButton } from "../kit/chip.tsx";
import { Confirm } from "../kit/confirm.tsx";
import { Empty } from "../kit/feedback.tsx";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { Table } from "../kit/table.tsx";
import { When } from "../kit/time.tsx";
import { type ListPage, usePolled } from "./api.ts";

interface Key {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

const PATH = "/keys";
const SCOPES = ["orders", "events", "services", "admin"];

interface Setting {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
  readonly meaning: string;
}

/** What is in force, with where it comes from. */
function InForce() {
  const settings = usePolled<{ readonly items: readonly Setting[] }>("/settings", 10_000);
  return (
    <Section title="In force" tools={<span className="soft small">in the process that answered</span>}>
      <Loaded query={settings} rows={8}>
        {({ items }) => (
          <Table
            noun="setting"
            rows={items}
            rowKey={({ name }) => name}
            empty={<Empty title="Nothing is set">Every setting has its default.</Empty>}
            columns={[
              {
                head: "Setting",
                value: ({ name, meaning }) => `${name} ${meaning}`,
                cell: ({ name, meaning }) => (
                  <>
                    <code>{name}</code>
                    <div className="soft small">{meaning}</div>
                  </>
                ),
              },
              {
                head: "Value",
                value: ({ value }) => value,
                cell: ({ value }) => <code className="breaks">{value}</code>,
              },
              {
                head: "From",
                value: ({ origin }) => origin,
                cell: ({ origin }) => (origin === "default" ? <span className="soft">default</span> : origin),
              },
            ]}
          />
        )}
      </Loaded>
    </Section>
  );
}

/** The API keys, made, rotated, revoked: a key is shown once. Below them the settings in force. */
export function Settings() {
  const keys = usePolled<ListPage<Key>>(PATH, 10_000);
  const [made, setMade] = useState<string>();
  const action = useAction([PATH]);
  const show = (answer: unknown): void => setMade((answer as { key: string }).key);
  return (
    <Page
      title="Settings"
      tools={
        session.signedIn && (
          <button
            type="button"
            className="button"
            onClick={() => {
              session.signOut();
              location.reload();
            }}
          >
            Sign out
          </button>
        )
      }
    >
      <MakeKey action={action} made={made} show={show} />
      <Loaded query={keys} rows={2}>
        {({ items }) => <Keys items={items} action={action} show={show} />}
      </Loaded>
      <InForce />
    </Page>
  );
}

interface Making {
  readonly action: RunAction;
  /** Shows the key that an answer holds, once. */
  readonly show: (answer: unknown) => void;
}

/** The form of a new key, and the key that was made last. */
function MakeKey({ action, made, show }: Making & { made: string | undefined }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly string[]>(["orders"]);
  return (
    <Section title="Make a key">
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          action.mutate({
            path: PATH,
            json: { name, scopes },
            done: "Made: copy it now, it is shown once",
            then: show,
          });
        }}
      >
        <input
          className="input filter"
          aria-label="Name of the key"
          placeholder="What it is for"
          required
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        {SCOPES.map((scope) => (
          <label key={scope} className="row">
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={(event) =>
                setScopes(event.target.checked ? [...scopes, scope] : scopes.filter((one) => one !== scope))
              }
            />
            {scope}
          </label>
        ))}
        <button type="submit" className="button primary" disabled={scopes.length === 0 || action.isPending}>
          Make
        </button>
      </form>
      {made !== undefined && (
        <p className="command" role="status">
          <code>{made}</code>
          <CopyButton text={made} label="Copy the key" />
        </p>
      )}
    </Section>
  );
}

/** The keys there are, to be rotated and revoked. */
function Keys({ items, action, show }: Making & { items: readonly Key[] }) {
  return (
    <Table
      noun="key"
      rows={items}
      rowKey={({ id }) => id}
      empty={
        <Empty title="There are no keys yet">
          Whoever reaches this system may use it, where keys are off. Make one above.
        </Empty>
      }
      columns={[
        { head: "Name", value: (key) => key.name, cell: (key) => <strong>{key.name}</strong> },
        { head: "Scopes", cell: (key) => key.scopes.join(", ") },
        { head: "Made", value: ({ createdAt }) => createdAt, cell: ({ createdAt }) => <When at={createdAt} /> },
        {
          head: "Expires",
          value: ({ expiresAt }) => expiresAt ?? "",
          cell: ({ expiresAt }) => (expiresAt === null ? <span className="soft">never</span> : <When at={expiresAt} />),
        },
        {
          head: "Actions",
          cell: ({ id, name: of }) => (
            <span className="row">
              <button
                type="button"
                className="button"
                onClick={() =>
                  action.mutate({
                    path: `${PATH}/${id}/rotate`,
                    json: { overlap: "1h" },
                    done: "Rotated: the old secret is good for another hour",
                    then: show,
                  })
                }
              >
                Rotate
              </button>
              <Confirm
                label="Revoke"
                title={`Revoke ${of}?`}
                sure="Revoke"
                onSure={() => action.mutate({ path: `${PATH}/${id}`, method: "DELETE", done: "Revoked" })}
              >
                Whoever uses it is refused from now on.
              </Confirm>
            </span>
          ),
        },
      ]}
    />
  );
}
